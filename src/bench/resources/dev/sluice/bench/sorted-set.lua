-- A sliding window as it is usually kept: a sorted set of the requests' times.
-- KEYS[1] the set; ARGV[1] limit, ARGV[2] length in microseconds, ARGV[3] what tells requests of one microsecond apart
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
local used = redis.call('ZCARD', KEYS[1])
if used >= tonumber(ARGV[1]) then
  return { now, 0, used }
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), time[1] .. ':' .. time[2] .. ':' .. ARGV[3])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000000))
return { now, 1, used + 1 }
