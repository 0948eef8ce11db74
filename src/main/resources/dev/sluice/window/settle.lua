-- Corrects what a reservation took to what was used, and forgets it: a second time nothing happens.
--
-- KEYS[1]     index of the identifier's windows
-- KEYS[i+1]   window i
-- KEYS[last]  the reservation, as decide.lua keeps it
-- ARGV[1]     its name in the index
-- ARGV[...]   per window: name in the index, units used. Windows that the reservation does not know stay as they are
-- Returns     how many windows were corrected
--
-- A window that has forgotten the reservation's sub-window, because that has left or was reset, stays as it is.

local function correct(key, bucket, change)
  local entries = redis.pcall('LRANGE', key, 0, -1)
  local total = entries[#entries]
  if not total then
    return 0 -- nothing, or a log
  end
  for i = 1, #entries - 1, 2 do
    if entries[i] == bucket then
      local count = tonumber(entries[i + 1])
      change = math.max(change, -count)
      redis.call('LSET', key, i, string.format('%.0f', count + change))
      redis.call('LSET', key, -1, '~' .. string.format('%.0f', tonumber(string.sub(total, 2)) + change))
      return 1
    end
  end
  return 0
end

local record = KEYS[#KEYS]
local corrected = 0
for i = 1, (#ARGV - 1) / 2 do
  local reserved = redis.call('HGET', record, ARGV[2 * i])
  local used = tonumber(ARGV[2 * i + 1])
  if reserved then
    local bucket, cost = string.match(reserved, '^(%-?%d+):(%d+)$')
    corrected = corrected + correct(KEYS[i + 1], bucket, used - tonumber(cost))
  end
end
redis.call('DEL', record)
redis.call('ZREM', KEYS[1], ARGV[1])
return corrected
