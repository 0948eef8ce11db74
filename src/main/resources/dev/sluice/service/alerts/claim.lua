-- Claims alerts once for all instances, and adds those that are new to the queue.
--
-- KEYS[1]    hash: id of an alert to its time of creation (Unix milliseconds), failed attempts and message, joined by spaces
-- KEYS[2]    sorted set: id of an alert by the time at which it is due (Unix milliseconds)
-- KEYS[3]    hash: owner to the number of its alerts in the queue; the owner is the field of that name of a message, or empty
-- KEYS[4]    string: random text, from which and the claim the id of an alert is computed
-- KEYS[5...] the claim of each alert
-- ARGV[1]    maximum number of alerts in the queue
-- ARGV[2]    random text, if there is none yet
-- ARGV[...]  of each alert: time until which the claim is kept (Unix milliseconds), message
-- Returns    for each alert 0 (claimed), 1 (claimed before) or 2 (no room for its owner, nothing has changed); then, if the queue
--            held foreign values, the number of keys that were deleted, and the first of them
--
-- A claim of another type counts as claimed. If Redis loses a claim (failover, restart), the alert is claimed again and has the same
-- id. The random text makes the ids of another Redis different, whose alerts are others.
--
-- An owner may have as many alerts in the queue as there is room left: one alone half of the queue, n together n/(n+1) of it. Thus
-- there is always room for another owner (dynamic thresholds of Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).

local repaired = {}
for i, expected in ipairs({ 'hash', 'zset', 'hash', 'string' }) do
  local actual = redis.call('TYPE', KEYS[i]).ok
  if actual ~= 'none' and actual ~= expected then
    redis.call('DEL', KEYS[i])
    repaired[#repaired + 1] = KEYS[i]
  end
end

local function owner_of(message)
  local readable, alert = pcall(cjson.decode, message)
  local owner = readable and type(alert) == 'table' and (alert.owner or alert.url) -- earlier versions have the URL only
  return type(owner) == 'string' and owner or ''
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
redis.call('SET', KEYS[4], ARGV[2], 'NX')
local random = redis.call('GET', KEYS[4])
local results = {}
for i = 5, #KEYS do
  local first = 3 + (i - 5) * 2
  local keep, message = tonumber(ARGV[first]) - now, ARGV[first + 1]
  local owner = owner_of(message)
  if redis.call('EXISTS', KEYS[i]) == 1 then
    results[#results + 1] = 1
  elseif (tonumber(redis.call('HGET', KEYS[3], owner) or 0) or 0) >= room then
    results[#results + 1] = 2
  else
    local id = 'alert_' .. redis.sha1hex(random .. KEYS[i])
    redis.call('SET', KEYS[i], id, 'NX', 'PX', string.format('%.0f', math.max(keep, 60000)))
    if redis.call('HSET', KEYS[1], id, string.format('%.0f 0 ', now) .. message) == 1 then
      redis.call('HINCRBY', KEYS[3], owner, 1)
      room = room - 1
    end
    redis.call('ZADD', KEYS[2], string.format('%.0f', now), id)
    results[#results + 1] = 0
  end
end
if #repaired > 0 then
  results[#results + 1] = #repaired
  results[#results + 1] = repaired[1]
end
return results
