-- Ends an attempt to send an alert: removes the alert, or schedules the next attempt.
--
-- KEYS[1]  hash of the alerts, see claim.lua
-- KEYS[2]  sorted set of the alerts by the time at which they are due
-- KEYS[3]  hash of the numbers of alerts by owner
-- ARGV[1]  id of the alert
-- ARGV[2]  milliseconds until the next attempt; -1: the alert is removed
-- ARGV[3]  age in milliseconds from which an alert is not sent any more
-- Returns  REMOVED; SCHEDULED; GIVEN_UP if the next attempt would be too late, and the alert was removed; GONE if there is no such
--          alert

local function remove(result, message)
  if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 and message and redis.call('TYPE', KEYS[3]).ok == 'hash' then
    local readable, alert = pcall(cjson.decode, message)
    local owner = readable and type(alert) == 'table' and (alert.owner or alert.url) -- earlier versions have the URL only
    owner = type(owner) == 'string' and owner or ''
    local left = (tonumber(redis.call('HGET', KEYS[3], owner) or 0) or 0) - 1
    if left > 0 then
      redis.call('HSET', KEYS[3], owner, string.format('%.0f', left))
    else
      redis.call('HDEL', KEYS[3], owner)
    end
  end
  redis.call('ZREM', KEYS[2], ARGV[1])
  return { result }
end

local due_type = redis.call('TYPE', KEYS[2]).ok
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or due_type ~= 'zset' and due_type ~= 'none' then
  return { 'GONE' } -- claim.lua and lease.lua repair the queue
end
local value = redis.call('HGET', KEYS[1], ARGV[1])
local created, attempts, message
if value then
  created, attempts, message = string.match(value, '^(%d+) (%d+) (.*)$')
end
if not message then
  return remove('GONE')
end
local delay = tonumber(ARGV[2])
if delay < 0 then
  return remove('REMOVED', message)
end
local time = redis.call('TIME')
local due = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + delay
if due - tonumber(created) > tonumber(ARGV[3]) then
  return remove('GIVEN_UP', message)
end
redis.call('HSET', KEYS[1], ARGV[1], created .. ' ' .. string.format('%.0f', tonumber(attempts) + 1) .. ' ' .. message)
redis.call('ZADD', KEYS[2], string.format('%.0f', due), ARGV[1])
return { 'SCHEDULED' }
