-- What was told since.
--
-- KEYS[1]  what was told: see tell.lua
-- ARGV[1]  the last that was heard of; nothing: only what that is now
-- Returns  the time in microseconds since 1970, the last there is, and the identifiers that were named (nothing: all of them)

local MOST = 1000

local time = redis.call('TIME')
local reply = { time[1] * 1000000 + time[2], ARGV[1] }
if ARGV[1] == '' then
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  reply[2] = last[1] and last[1][1] or '0-0'
  return reply
end
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', MOST)) do
  reply[2] = entry[1]
  reply[#reply + 1] = entry[2][4]
end
return reply
