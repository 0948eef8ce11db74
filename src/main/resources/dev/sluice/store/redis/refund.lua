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
local FLAG, WEIGHTED, WEIGHTED_BYTES, MODULUS = 72, '>I7BI3I3', 14, 2 ^ 24
local call, pcall, pack, unpack, format = redis.call, redis.pcall, struct.pack, struct.unpack, string.format

-- Returns a log without some units of one time, and their number. Units of one time are adjacent. The decision is recent, so the
-- search starts at the end.
local function remove(log, moment, cost)
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
  return string.sub(log, 1, kept * BYTES) .. string.sub(log, last * BYTES + 1), last - kept
end

-- The same for a weighted log, whose entries are decoded from the one of that time on: their sums change.
local function remove_weighted(log, moment, cost)
  local _, _, plain = unpack(WEIGHTED, log, #log - WEIGHTED_BYTES + 1)
  local from = #log - WEIGHTED_BYTES + 1
  local first = plain * BYTES + 1
  while from > first and (unpack(TIME, log, from - WEIGHTED_BYTES)) >= moment do
    from = from - WEIGHTED_BYTES
  end
  local before = 0
  if from > first then
    local _, _, _, sum = unpack(WEIGHTED, log, from - WEIGHTED_BYTES)
    before = sum
  end
  local times, removed = string.sub(log, 1, plain * BYTES), 0
  local head = string.sub(log, plain * BYTES + 1, from - 1)
  local entries, sum = {}, before
  for i = from, #log, WEIGHTED_BYTES do
    local t, _, _, upto = unpack(WEIGHTED, log, i)
    local units = (upto - before) % MODULUS
    before = upto
    if t == moment and removed < cost then
      local taken = math.min(units, cost - removed)
      units, removed = units - taken, removed + taken
    end
    if units > 0 then
      sum = (sum + units) % MODULUS
      entries[#entries + 1] = { t, sum }
    end
  end
  if removed < cost then
    local more
    times, more = remove(times, moment, cost - removed)
    removed = removed + more
  end
  plain = #times / BYTES
  for i, entry in ipairs(entries) do
    entries[i] = pack(WEIGHTED, entry[1], FLAG, plain, entry[2])
  end
  if #entries == 0 and head ~= '' then -- the number of times is read from the last entry
    local t, _, _, upto = unpack(WEIGHTED, head, #head - WEIGHTED_BYTES + 1)
    head = string.sub(head, 1, -WEIGHTED_BYTES - 1) .. pack(WEIGHTED, t, FLAG, plain, upto)
  end
  return times .. head .. table.concat(entries), removed
end

local function from_log(key, log, moment, cost)
  local weighted = string.byte(log, #log - BYTES + 1) == FLAG
  local rest, removed = (weighted and remove_weighted or remove)(log, moment, cost)
  if removed == 0 then
    return 0
  elseif rest == '' then
    call('DEL', key)
  else
    call('SET', key, rest, 'KEEPTTL')
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
    if string.byte(window) < 32 and #window % BYTES == 0 then -- a log begins with a time
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
