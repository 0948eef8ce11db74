-- Claims alerts once for all instances, and adds those that are new to the queue.
--
-- KEYS[1]    hash: id of an alert to its time of creation (Unix milliseconds), failed attempts and message, joined by spaces
-- KEYS[2]    sorted set: id of an alert by the time at which it is due (Unix milliseconds)
-- KEYS[3]    string: random text, from which and the claim the id of an alert is computed
-- KEYS[4...] the claim of each alert
-- ARGV[1]    maximum number of alerts in the queue
-- ARGV[2]    random text, if there is none yet
-- ARGV[...]  of each alert: time until which the claim is kept (Unix milliseconds), message
-- Returns    for each alert 0 (claimed), 1 (claimed before) or 2 (the queue is full, nothing has changed); then, if the queue held
--            foreign values, the number of keys that were deleted, and the first of them
--
-- A claim of another type counts as claimed. If Redis loses a claim (failover, restart), the alert is claimed again and has the same
-- id. The random text makes the ids of another Redis different, whose alerts are others.

local repaired = {}
for i, expected in ipairs({ 'hash', 'zset', 'string' }) do
  local actual = redis.call('TYPE', KEYS[i]).ok
  if actual ~= 'none' and actual ~= expected then
    redis.call('DEL', KEYS[i])
    repaired[#repaired + 1] = KEYS[i]
  end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local pending = redis.call('HLEN', KEYS[1])
redis.call('SET', KEYS[3], ARGV[2], 'NX')
local random = redis.call('GET', KEYS[3])
local results = {}
for i = 4, #KEYS do
  local first = 3 + (i - 4) * 2
  local keep, message = tonumber(ARGV[first]) - now, ARGV[first + 1]
  if redis.call('EXISTS', KEYS[i]) == 1 then
    results[#results + 1] = 1
  elseif pending >= tonumber(ARGV[1]) then
    results[#results + 1] = 2
  else
    local id = 'alert_' .. redis.sha1hex(random .. KEYS[i])
    redis.call('SET', KEYS[i], id, 'NX', 'PX', string.format('%.0f', math.max(keep, 60000)))
    redis.call('HSET', KEYS[1], id, string.format('%.0f 0 ', now) .. message)
    redis.call('ZADD', KEYS[2], string.format('%.0f', now), id)
    pending = pending + 1
    results[#results + 1] = 0
  end
end
if #repaired > 0 then
  results[#results + 1] = #repaired
  results[#results + 1] = repaired[1]
end
return results
