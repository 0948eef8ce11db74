-- Polls the stream of changes.
--
-- KEYS     the directory, in the order of DirectoryKeys
-- ARGV[1]  the last entry that was processed; empty: none is returned
-- Returns  the time in microseconds since 1970, the last entry of the stream, the number of the last change, the numbers of keys,
--          users, teams and organisations that are stored, and the new entries: kind, name, and hashes joined by spaces, of each. If
--          a foreign value was replaced, two more elements: 1 and the key
--
-- Changes are numbered without gaps, and each writes one entry: a caller compares numbers and entries to notice that some are
-- missing. A foreign value in place of the stream is deleted; it only tells readers what to read again.

local MOST = 1000
local CHANGES, REVISION = 16, 17

local time = redis.call('TIME')
local last = redis.pcall('XREVRANGE', KEYS[CHANGES], '+', '-', 'COUNT', 1)
local repaired = false
if last.err then
  if not string.find(last.err, 'WRONGTYPE', 1, true) then
    error(last.err, 0)
  end
  redis.call('DEL', KEYS[CHANGES])
  last, repaired = {}, true
end
local counts = {}
for i = 1, 4 do
  local count = redis.pcall('HLEN', KEYS[i])
  counts[i] = type(count) == 'number' and count or 1 -- a foreign value: reading it reports the failure
end
local revision = redis.pcall('GET', KEYS[REVISION])
local reply = { time[1] * 1000000 + time[2], last[1] and last[1][1] or '0-0',
  type(revision) == 'string' and tonumber(revision) or 0, counts, {} }
if ARGV[1] ~= '' then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[CHANGES], '(' .. ARGV[1], '+', 'COUNT', MOST)) do
    local fields = entry[2]
    if #fields == 6 and fields[1] == 'kind' and fields[3] == 'name' and fields[5] == 'hashes' then
      table.insert(reply[5], fields[2])
      table.insert(reply[5], fields[4])
      table.insert(reply[5], fields[6])
    end
  end
end
if repaired then
  reply[6], reply[7] = 1, KEYS[CHANGES]
end
return reply
