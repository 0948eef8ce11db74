-- Refunds a decision whose reply arrived too late: the fallback had denied the request meanwhile.
--
-- KEYS[1]     index of the identifier's windows
-- KEYS[i+1]   window i, in the formats of decide.lua
-- KEYS[last]  the reservation, if ARGV[2] names one
-- ARGV[1]     the decision's time in microseconds since 1970
-- ARGV[2]     the reservation's name in the index; empty: none
-- ARGV[...]   per window: length in microseconds, cost
-- Returns     the number of corrected windows
--
-- A window that has no units of that time any more (expired or reset) is not changed. Neither is a window in the format of an
-- earlier version, or a foreign value.

local TIME, BYTES = '>I7', 7
local RING, HEADER, ENTRY, ENTRY_BYTES = 82, 8, '>I7I7', 14
local call, pcall, pack, unpack, format = redis.call, redis.pcall, struct.pack, struct.unpack, string.format

-- Units of one time are adjacent. The decision is recent, so the search starts at the end.
local function from_log(key, log, moment, cost)
  local last = #log / BYTES
  local function at(number)
    return (unpack(TIME, log, (number - 1) * BYTES + 1))
  end
  while last > 0 and at(last) > moment do
    last = last - 1
  end
  local kept = last
  while kept > 0 and last - kept < cost and at(kept) == moment do
    kept = kept - 1
  end
  if kept == last then
    return 0
  end
  log = string.sub(log, 1, kept * BYTES) .. string.sub(log, last * BYTES + 1)
  if log == '' then
    call('DEL', key)
  else
    call('SET', key, log, 'KEEPTTL')
  end
  return 1
end

local function from_ring(key, ring, bucket, cost)
  local before = unpack(TIME, ring, 2)
  for i = HEADER + 1, #ring, ENTRY_BYTES do
    local sum, number = unpack(ENTRY, ring, i)
    if number == bucket then
      cost = math.min(cost, sum - before)
      local entries = {}
      for j = i, #ring, ENTRY_BYTES do
        sum, number = unpack(ENTRY, ring, j)
        entries[#entries + 1] = pack(ENTRY, sum - cost, number)
      end
      call('SETRANGE', key, format('%d', i - 1), table.concat(entries))
      return 1
    end
    before = sum
  end
  return 0
end

local moment = tonumber(ARGV[1])
local corrected = 0
for i = 1, (#ARGV - 2) / 2 do
  local span, cost = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local key = KEYS[i + 1]
  local window = pcall('GET', key)
  if type(window) == 'string' and #window > 0 then
    if string.byte(window) < 32 and #window % BYTES == 0 then
      corrected = corrected + from_log(key, window, moment, cost)
    elseif string.byte(window) == RING and #window % ENTRY_BYTES == HEADER then
      corrected = corrected + from_ring(key, window, math.floor(moment / math.floor(span / 60)), cost)
    end
  end
end
if ARGV[2] ~= '' then
  call('DEL', KEYS[#KEYS])
  pcall('ZREM', KEYS[1], ARGV[2])
end
return corrected
