-- Sets how many slots of requests in flight an instance holds, which is also the heartbeat of these slots.
--
-- KEYS     slots of an identifier and a resource: hash of two kinds of entries, see the part "slots" of decide.lua
-- ARGV[1]  the instance
-- ARGV[..] per key: the slots that it holds as far as it knows, and the number of the last grant that it knows
-- Returns  the time, and per key the number of the last slot that was granted to the instance. If keys were repaired, two more elements: their number, and the first key
--
-- Grants that the instance does not know yet are added: their replies are under way. So the count is exact, although the instance
-- sends it while its decisions are on the way, and in whatever order Redis gets them.

local COUNT = '>I4I7I7I7' -- slots, time of the heartbeat, number before the first grant, number of the last one
local COUNT_BYTES = 25
local LIFETIME = 10000 -- milliseconds; longer than an entry counts
local RENEWED_BELOW = 5000

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local instance = ARGV[1]
local repaired, first_repaired = 0, nil

local function read(key)
  local value = redis.pcall('HGET', key, instance)
  if type(value) == 'table' then
    if not string.find(value.err, 'WRONGTYPE', 1, true) then
      error(value.err, 0)
    end
    if type(redis.pcall('UNLINK', key)) == 'table' then
      redis.call('DEL', key)
    end
    repaired = repaired + 1
    first_repaired = first_repaired or key
    value = false
  end
  if value and #value == COUNT_BYTES then
    return struct.unpack(COUNT, value)
  end
  return 0, 0, clock, clock
end

local all_granted = {}

for i, key in ipairs(KEYS) do
  local units, known = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local before, _, start, granted = read(key)
  units = units + math.min(before, math.max(0, granted - math.max(known, start)))
  all_granted[i] = granted
  if units == 0 then
    redis.call('HDEL', key, instance)
  else
    redis.call('HSET', key, instance, struct.pack(COUNT, units, clock, start, granted))
    if redis.call('PTTL', key) < RENEWED_BELOW then
      redis.call('PEXPIRE', key, string.format('%d', LIFETIME))
    end
  end
end
if repaired > 0 then
  return { clock, all_granted, repaired, first_repaired }
end
return { clock, all_granted }
