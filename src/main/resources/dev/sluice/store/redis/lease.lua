-- Takes, renews or frees a lease, or frees all of a resource: a slot of requests in flight that no instance holds, but which counts until its own end. Its cost
-- grows with the logarithm of the number of leases.
--
-- KEYS[1]  slots of an identifier and a resource: sorted set, see the part "slots" of decide.lua
-- KEYS[2]  resources of the identifier with leases: sorted set, scored by the end of the last one in microseconds
-- ARGV[1]  the lease; empty to free all
-- ARGV[2]  "take", "renew", "free", or "clear": frees MOST_CLEARED leases
-- ARGV[3]  microseconds until its end
-- ARGV[4]  maximum number of slots
-- ARGV[5]  the resource
-- Returns  the time, 1 if it was done and 0 if there was no free slot, no such lease, or after "clear" if more are left, and the slots that are held then. If the key
--          was repaired, two more elements: 1, and the key

local VALID = 3000000 -- microseconds for which the slots of an instance count after its heartbeat
local COUNT, COUNT_BYTES = '>I4I7I7', 18
local LIFETIME = 10000 -- milliseconds
local MOST_ENDED = 100 -- that one call removes: more than it adds

local MOST_CLEARED = 1000
local MOST_RESOURCES = 10000 -- beyond it, those whose leases end first are not listed

local key, index, lease, operation, resource = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[5]
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local now = string.format('%.0f', clock)

local members, repaired = redis.pcall('ZRANGEBYSCORE', key, '-inf', '0', 'WITHSCORES'), false
if members.err then
  if not string.find(members.err, 'WRONGTYPE', 1, true) then
    error(members.err, 0)
  end
  if type(redis.pcall('UNLINK', key)) == 'table' then
    redis.call('DEL', key)
  end
  members, repaired = {}, true
end

local ended = redis.call('ZRANGEBYSCORE', key, '(0', now, 'LIMIT', '0', MOST_ENDED)
local held = redis.call('ZCOUNT', key, '(' .. now, '+inf')
for i = 1, #members, 2 do
  local member, beat = members[i], -members[i + 1]
  if #member > COUNT_BYTES and beat > clock - VALID and beat <= clock + VALID then
    held = held + struct.unpack(COUNT, member)
  elseif #ended < 2 * MOST_ENDED then
    ended[#ended + 1] = member
  end
end
local ends = tonumber(redis.call('ZSCORE', key, lease) or 0)
local found = ends > clock
if #ended > 0 then
  redis.call('ZREM', key, unpack(ended))
end

-- Lists the resource until the end of its last lease.
local function list(last)
  local listed = redis.pcall('ZADD', index, last, resource)
  if type(listed) == 'table' then
    redis.call('DEL', index)
    redis.call('ZADD', index, last, resource)
  end
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  redis.call('ZREMRANGEBYRANK', index, '0', -MOST_RESOURCES - 1)
  local latest = redis.call('ZREVRANGE', index, '0', '0', 'WITHSCORES')[2]
  redis.call('PEXPIRE', index, string.format('%.0f', (latest - clock) / 1000 + 1000))
end

local done = 0
if operation == 'clear' then
  local leases = redis.call('ZRANGEBYSCORE', key, '(0', '+inf', 'LIMIT', '0', MOST_CLEARED)
  if #leases > 0 then
    redis.call('ZREM', key, unpack(leases))
  end
  done = #leases < MOST_CLEARED and 1 or 0
  if done == 1 then
    redis.pcall('ZREM', index, resource)
  end
elseif operation == 'free' then
  done = found and 1 or 0
  if found then
    redis.call('ZREM', key, lease)
    held = held - 1
  end
elseif found or operation == 'take' and held < tonumber(ARGV[4]) then
  redis.call('ZADD', key, string.format('%.0f', clock + tonumber(ARGV[3])), lease)
  local last = redis.call('ZREVRANGE', key, '0', '0', 'WITHSCORES')[2]
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(LIFETIME, (last - clock) / 1000 + 1000)))
  list(last)
  done = 1
  held = held + (found and 0 or 1)
end
if repaired then
  return { clock, done, held, 1, key }
end
return { clock, done, held }
