-- Tells the other instances of a reset: they remember what Redis is to forget.
--
-- KEYS[1]  resets: see announce.lua
-- ARGV[1]  the instance that was asked
-- ARGV[2]  the identifier; nothing: all
-- ARGV[3]  the resource; nothing: all

local KEPT = 10000
local DAY = 86400

redis.call('XADD', KEYS[1], 'MAXLEN', '~', KEPT, '*', 'by', ARGV[1], 'identifier', ARGV[2], 'resource', ARGV[3])
return redis.call('EXPIRE', KEYS[1], DAY)
