-- Reads one identity.
--
-- KEYS     the directory, in the order of DirectoryKeys
-- ARGV[1]  kind: key, user, team or org
-- ARGV[2]  name; the id of a key
-- Returns  the record and the hour of a key's last use, each empty if there is none; or FOREIGN, a key and a field: see write.lua

local RECORDS = { key = 1, user = 2, team = 3, org = 4 }
local USED = 18

local records = KEYS[RECORDS[ARGV[1]]]
local record = redis.pcall('HGET', records, ARGV[2])
if type(record) == 'table' then
  if string.find(record.err, 'WRONGTYPE', 1, true) then
    return { 'FOREIGN', records, '' }
  end
  error(record.err, 0)
end
local used = ARGV[1] == 'key' and redis.pcall('HGET', KEYS[USED], ARGV[2])
return { record or '', type(used) == 'string' and used or '' }
