-- Reads a page of the audit log, newest first.
--
-- KEYS     the directory, in the order of DirectoryKeys
-- ARGV[1]  maximum number of entries
-- ARGV[2]  id of the entry after which the page begins; empty: the newest entries
-- Returns  id and text of each entry; or FOREIGN, a key and a field: see write.lua

local AUDIT = 15

local entries = redis.pcall('XREVRANGE', KEYS[AUDIT], ARGV[2] == '' and '+' or '(' .. ARGV[2], '-', 'COUNT', ARGV[1])
if entries.err then
  if string.find(entries.err, 'WRONGTYPE', 1, true) then
    return { 'FOREIGN', KEYS[AUDIT], '' }
  end
  error(entries.err, 0)
end
local reply = {}
for _, entry in ipairs(entries) do
  if entry[2][1] == 'entry' then
    reply[#reply + 1] = entry[1]
    reply[#reply + 1] = entry[2][2]
  end
end
return reply
