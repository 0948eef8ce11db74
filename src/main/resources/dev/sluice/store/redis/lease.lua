-- Takes, renews or frees a lease: a slot of requests in flight that no instance holds, but which counts until its own end.
--
-- KEYS[1]  slots of an identifier and a resource: hash, see the part "slots" of decide.lua
-- ARGV[1]  the lease
-- ARGV[2]  "take", "renew" or "free"
-- ARGV[3]  microseconds until its end
-- ARGV[4]  maximum number of slots
-- Returns  the time, 1 if it was done and 0 if there was no free slot or no such lease, and the slots that are held then. If the key
--          was repaired, two more elements: 1, and the key

local VALID = 3000000 -- microseconds for which the slots of an instance count after its heartbeat
local COUNT, COUNT_BYTES, LEASE, LEASE_BYTES = '>I4I7I7I7', 25, '>I7I4', 11
local LIFETIME = 10000 -- milliseconds
local MOST_FIELDS = 1000 -- of one command

local key, lease, operation = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

local fields, repaired = redis.pcall('HGETALL', key), false
if fields.err then
  if not string.find(fields.err, 'WRONGTYPE', 1, true) then
    error(fields.err, 0)
  end
  if type(redis.pcall('UNLINK', key)) == 'table' then
    redis.call('DEL', key)
  end
  fields, repaired = {}, true
end

local held, last_end, found, stale = 0, 0, false, {}
for i = 1, #fields, 2 do
  local value, current = fields[i + 1], false
  if #value == COUNT_BYTES then
    local units, beat = struct.unpack(COUNT, value)
    current = beat > clock - VALID and beat <= clock + VALID
    held = held + (current and units or 0)
  elseif #value == LEASE_BYTES then
    local ends, units = struct.unpack(LEASE, value)
    current = ends > clock
    if current then
      held = held + units
      last_end = math.max(last_end, ends)
      found = found or fields[i] == lease
    end
  end
  if not current then
    stale[#stale + 1] = fields[i]
  end
end
for from = 1, #stale, MOST_FIELDS do
  redis.call('HDEL', key, unpack(stale, from, math.min(from + MOST_FIELDS - 1, #stale)))
end

local done = 0
if operation == 'free' then
  done = found and 1 or 0
  if found then
    redis.call('HDEL', key, lease)
    held = held - 1
  end
elseif found or operation == 'take' and held < tonumber(ARGV[4]) then
  local ends = clock + tonumber(ARGV[3])
  redis.call('HSET', key, lease, struct.pack(LEASE, ends, 1))
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(LIFETIME, (math.max(last_end, ends) - clock) / 1000 + 1000)))
  done = 1
  held = held + (found and 0 or 1)
end
if repaired then
  return { clock, done, held, 1, key }
end
return { clock, done, held }
