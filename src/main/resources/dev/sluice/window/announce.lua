-- An instance tells the others that it is there, and hears who else is, and what was reset.
--
-- KEYS[1]  the instances: sorted set, scored by when they were last heard, in microseconds
-- KEYS[2]  this instance's mark: "number:time" of its last announcement. A Redis that has lost what was written has lost
--          the marks with it
-- KEYS[3]  resets: stream of the instance that was asked, the identifier (nothing: all) and the resource (nothing: all)
-- ARGV[1]  the instance
-- ARGV[2]  the announcement's number; 0: only asks
-- ARGV[4]  1: it is there for the others, with all that it has granted; 0: not yet
-- ARGV[3]  the last reset it has heard of; nothing: it has nothing that could be reset
-- Returns  the time, the mark as it was, the instances and their times, and the resets since

-- An instance that was not heard for so long is gone; so is one that is ahead: the clock was set back since.
local GONE = 5000000
local MARK_SECONDS = 32 * 24 * 3600

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local mark = redis.call('GET', KEYS[2])

if ARGV[4] == '1' then
  redis.call('ZADD', KEYS[1], clock, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], 60000)
end
if ARGV[2] ~= '0' then
  redis.call('SET', KEYS[2], ARGV[2] .. ':' .. string.format('%.0f', clock), 'EX', MARK_SECONDS)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', clock - GONE)
redis.call('ZREMRANGEBYSCORE', KEYS[1], clock + GONE, '+inf')

local resets
if ARGV[3] == '' then
  resets = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
else
  resets = redis.call('XRANGE', KEYS[3], '(' .. ARGV[3], '+', 'COUNT', 1000)
end
return { clock, mark or '', redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), resets }
