-- Leases alerts that are due: no other instance gets them until the lease ends.
--
-- KEYS[1]  hash of the alerts, see claim.lua
-- KEYS[2]  sorted set of the alerts by the time at which they are due
-- KEYS[3]  hash of the numbers of alerts by owner
-- ARGV[1]  length of the lease in milliseconds
-- ARGV[2]  maximum number of alerts
-- Returns  the number of alerts in the queue; an array with id, failed attempts and message of each leased alert; then, if the queue
--          held foreign values, the number of keys that were deleted, and the first of them
--
-- The queue is repaired: an alert without a time is due at once, and a time without an alert is removed. If the numbers by owner do
-- not add up to that of the alerts, which instances of an earlier version do not keep, the alerts are counted.

local repaired = {}
for i, expected in ipairs({ 'hash', 'zset', 'hash' }) do
  local actual = redis.call('TYPE', KEYS[i]).ok
  if actual ~= 'none' and actual ~= expected then
    redis.call('DEL', KEYS[i])
    repaired[#repaired + 1] = KEYS[i]
  end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if redis.call('HLEN', KEYS[1]) > redis.call('ZCARD', KEYS[2]) then
  for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    redis.call('ZADD', KEYS[2], 'NX', string.format('%.0f', now), id)
  end
end
local sum = 0
for _, number in ipairs(redis.call('HVALS', KEYS[3])) do
  sum = sum + (tonumber(number) or 0)
end
if sum ~= redis.call('HLEN', KEYS[1]) then
  local numbers = {}
  for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
    local readable, alert = pcall(cjson.decode, string.match(value, '^%d+ %d+ (.*)$') or '')
    local owner = readable and type(alert) == 'table' and (alert.owner or alert.url) -- earlier versions have the URL only
    owner = type(owner) == 'string' and owner or ''
    numbers[owner] = (numbers[owner] or 0) + 1
  end
  redis.call('DEL', KEYS[3])
  for owner, number in pairs(numbers) do
    redis.call('HSET', KEYS[3], owner, string.format('%.0f', number))
  end
end
local leased = {}
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[2])
for _, id in ipairs(due) do
  local value = redis.call('HGET', KEYS[1], id)
  local attempts, message
  if value then
    attempts, message = string.match(value, '^%d+ (%d+) (.*)$')
  end
  if message then
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[1])), id)
    leased[#leased + 1] = id
    leased[#leased + 1] = tonumber(attempts)
    leased[#leased + 1] = message
  else
    redis.call('ZREM', KEYS[2], id)
    redis.call('HDEL', KEYS[1], id)
  end
end
local reply = { redis.call('ZCARD', KEYS[2]), leased }
if #repaired > 0 then
  reply[#reply + 1] = #repaired
  reply[#reply + 1] = repaired[1]
end
return reply
