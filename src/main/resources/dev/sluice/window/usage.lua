-- Counts what windows hold now, and changes nothing.
--
-- KEYS     windows, in the forms that decide.lua keeps
-- ARGV     their lengths in microseconds
-- Returns  the time in microseconds since 1970, then the units in each window

local BYTES = 7

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

local function ring(key, span, now)
  local width = math.floor(span / 60)
  local entries = redis.call('LRANGE', key, 0, -2)
  local sum = 0
  for i = 1, #entries, 2 do
    if (entries[i] + 1) * width - 1 + span > now then
      sum = sum + entries[i + 1]
    end
  end
  return sum
end

local function log(times, edge)
  local low, high = 0, #times / BYTES
  local length = high
  while low < high do
    local middle = math.floor((low + high) / 2)
    if struct.unpack('>I7', times, middle * BYTES + 1) <= edge then
      low = middle + 1
    else
      high = middle
    end
  end
  return length - low
end

local reply = { clock }
for i = 1, #KEYS do
  local span = tonumber(ARGV[i])
  local times = redis.pcall('GET', KEYS[i])
  if not times then
    reply[i + 1] = 0
  elseif type(times) == 'string' and #times % BYTES == 0 then
    reply[i + 1] = log(times, clock - span)
  else
    reply[i + 1] = ring(KEYS[i], span, clock)
  end
end
return reply
