-- Sets how many slots of requests in flight an instance holds, which is also the heartbeat of these slots.
--
-- KEYS     slots of an identifier and a resource: sorted set, see the part "slots" of decide.lua
-- ARGV[1]  the instance
-- ARGV[..] per key: the slots that it holds as far as it knows, and the number of the last grant that it knows
-- Returns  the time, and per key the number of the last slot that was granted to the instance. If keys were repaired, two more elements: their number, and the first key
--
-- Grants that the instance does not know yet are added: their replies are under way. So the count is exact, although the instance
-- sends it while its decisions are on the way, and in whatever order Redis gets them.

local COUNT = '>I4I7I7' -- slots, number before the first grant, number of the last one
local COUNT_BYTES = 18
local LIFETIME = 10000 -- milliseconds; longer than an entry counts
local RENEWED_BELOW = 5000

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local instance = ARGV[1]
local repaired, first_repaired = 0, nil

-- Returns the entry of the instance: slots, number before its first grant, number of its last one, and the member.
local function read(key)
  local members = redis.pcall('ZRANGEBYSCORE', key, '-inf', '0')
  if members.err then
    if not string.find(members.err, 'WRONGTYPE', 1, true) then
      error(members.err, 0)
    end
    if type(redis.pcall('UNLINK', key)) == 'table' then
      redis.call('DEL', key)
    end
    repaired = repaired + 1
    first_repaired = first_repaired or key
    members = {}
  end
  for _, member in ipairs(members) do
    if string.sub(member, COUNT_BYTES + 1) == instance then
      local units, start, granted = struct.unpack(COUNT, member)
      return units, start, granted, member
    end
  end
  return 0, clock, clock, nil
end

local all_granted = {}

for i, key in ipairs(KEYS) do
  local units, known = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local before, start, granted, member = read(key)
  units = units + math.min(before, math.max(0, granted - math.max(known, start)))
  all_granted[i] = granted
  local current = units > 0 and struct.pack(COUNT, units, start, granted) .. instance or nil
  if member and member ~= current then
    redis.call('ZREM', key, member)
  end
  if current then
    redis.call('ZADD', key, string.format('-%.0f', clock), current)
    if redis.call('PTTL', key) < RENEWED_BELOW then
      redis.call('PEXPIRE', key, string.format('%d', LIFETIME))
    end
  end
end
if repaired > 0 then
  return { clock, all_granted, repaired, first_repaired }
end
return { clock, all_granted }
