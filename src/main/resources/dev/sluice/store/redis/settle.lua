-- Settles a reservation: corrects its windows to the actual usage and deletes it. Idempotent.
--
-- KEYS[1]     index of the identifier's windows
-- KEYS[i+1]   window i, a ring in either format that decide.lua reads
-- KEYS[last]  the reservation, as decide.lua writes it
-- ARGV[1]     the reservation's name in the index
-- ARGV[...]   per window: name in the index, units used. Windows that are not part of the reservation are not changed
-- Returns     the number of corrected windows
--
-- A window that no longer has the reservation's bucket (expired or reset) is not changed. Neither is a key with a foreign
-- value, which the next decision deletes. A foreign value in place of the reservation is deleted.

local RING, HEADER, ENTRY, ENTRY_BYTES = 82, 8, '>I7I7', 14
local MOST_UNITS = 2 ^ 52
local call, pcall, pack, unpack, format = redis.call, redis.pcall, struct.pack, struct.unpack, string.format

local function correct_list(key, bucket, change)
  local entries = pcall('LRANGE', key, '0', '400')
  local total = not entries.err and entries[#entries]
  if not total or string.byte(total) ~= 126 then
    return 0
  end
  for i = 1, #entries - 1, 2 do
    if tonumber(entries[i]) == bucket then
      local count = tonumber(entries[i + 1])
      change = math.max(change, -count)
      call('LSET', key, format('%d', i), format('%.0f', count + change))
      call('LSET', key, '-1', '~' .. format('%.0f', tonumber(string.sub(total, 2)) + change))
      return 1
    end
  end
  return 0
end

local function correct(key, bucket, change)
  local ring = pcall('GETRANGE', key, '-910', '-1') -- see decide.lua: longer than any ring
  if type(ring) == 'table' then
    if not string.find(ring.err, 'WRONGTYPE', 1, true) then
      error(ring.err, 0)
    end
    return correct_list(key, bucket, change)
  elseif string.byte(ring) ~= RING or #ring % ENTRY_BYTES ~= HEADER then
    return 0 -- missing, a log, or foreign
  end
  local before = unpack('>I7', ring, 2)
  for i = HEADER + 1, #ring, ENTRY_BYTES do
    local sum, number = unpack(ENTRY, ring, i)
    if number == bucket then
      change = math.max(change, before - sum)
      local entries = {}
      for j = i, #ring, ENTRY_BYTES do
        sum, number = unpack(ENTRY, ring, j)
        entries[#entries + 1] = pack(ENTRY, math.min(sum + change, MOST_UNITS), number)
      end
      call('SETRANGE', key, format('%d', i - 1), table.concat(entries))
      return 1
    end
    before = sum
  end
  return 0
end

local record = KEYS[#KEYS]
local corrected = 0
for i = 1, (#ARGV - 1) / 2 do
  local reserved = pcall('HGET', record, ARGV[2 * i])
  local used = tonumber(ARGV[2 * i + 1])
  local bucket, cost
  if type(reserved) == 'string' then
    bucket, cost = string.match(reserved, '^(%-?%d+):(%d+)$')
  end
  if bucket then
    corrected = corrected + correct(KEYS[i + 1], tonumber(bucket), used - tonumber(cost))
  end
end
call('DEL', record)
pcall('ZREM', KEYS[1], ARGV[1])
return corrected
