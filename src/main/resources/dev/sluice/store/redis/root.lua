-- Notes a root under which windows of an identifier are stored.
--
-- KEYS[1]  set of the roots
-- ARGV     the root; time to live of the set in seconds
-- Returns  1

local added = redis.pcall('SADD', KEYS[1], ARGV[1])
if type(added) == 'table' then -- the key holds a foreign value
  redis.call('DEL', KEYS[1])
  redis.call('SADD', KEYS[1], ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
