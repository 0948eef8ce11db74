-- Records the hour of the last use of keys. It is no change of the keys: it has no revision and no notification.
--
-- KEYS      the directory, in the order of DirectoryKeys
-- ARGV[1]   the hour, in hours since 1970
-- ARGV[...] ids of the keys
-- Returns   the number of hours that were written
--
-- The id of a key that was deleted meanwhile is left out. A foreign value is left alone: the use is not recorded.

local KEYS_RECORDS, USED = 1, 18

if redis.call('TYPE', KEYS[USED]).ok ~= 'hash' and redis.call('EXISTS', KEYS[USED]) == 1
  or redis.call('TYPE', KEYS[KEYS_RECORDS]).ok ~= 'hash' then
  return 0
end
local hour, written = tonumber(ARGV[1]), 0
for i = 2, #ARGV do
  local before = tonumber(redis.call('HGET', KEYS[USED], ARGV[i]) or '') or 0
  if before < hour and redis.call('HEXISTS', KEYS[KEYS_RECORDS], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[USED], ARGV[i], ARGV[1])
    written = written + 1
  end
end
return written
