-- Publishes a reset to the other instances, which discard the same windows.
--
-- KEYS[1]  stream of resets: see announce.lua
-- ARGV[1]  the instance that received the reset
-- ARGV[2]  the identifier; empty: all
-- ARGV[3]  the resource; empty: all
-- Returns  1; if the key held a value of another type, which was deleted: 1 and the key

local KEPT = 10000
local DAY = 86400

local entry = { 'XADD', KEYS[1], 'MAXLEN', '~', KEPT, '*', 'by', ARGV[1], 'identifier', ARGV[2], 'resource', ARGV[3] }
local reply = { 1 }
local added = redis.pcall(unpack(entry))
if type(added) == 'table' and added.err then
  if not string.find(added.err, 'WRONGTYPE', 1, true) then
    error(added.err, 0)
  end
  redis.call('DEL', KEYS[1])
  redis.call(unpack(entry))
  reply[2], reply[3] = 1, KEYS[1]
end
redis.call('EXPIRE', KEYS[1], DAY)
return reply
