-- Adds an entry to the audit log that belongs to no change of one identity.
--
-- KEYS     the directory, in the order of DirectoryKeys
-- ARGV[1]  entry, a JSON object
-- Returns  DONE; or FOREIGN, a key and a field: see write.lua

local KEPT = 10000
local AUDIT = 15

local actual = redis.call('TYPE', KEYS[AUDIT]).ok
if actual ~= 'none' and actual ~= 'stream' then
  return { 'FOREIGN', KEYS[AUDIT], '' }
end
redis.call('XADD', KEYS[AUDIT], 'MAXLEN', '=', KEPT, '*', 'entry', ARGV[1])
return { 'DONE' }
