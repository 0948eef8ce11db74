-- Polls a stream of resets, for the denial cache.
--
-- KEYS[1]  stream of resets, as tell.lua writes it
-- ARGV[1]  the last entry that was processed; empty: returns only the current last entry
-- Returns  the time in microseconds since 1970, the last entry, and the identifiers of the new entries (empty: all)
--
-- A foreign value is deleted. Earlier resets are lost with it, so the reply then names all identifiers.

local MOST = 1000

local time = redis.call('TIME')
local reply = { time[1] * 1000000 + time[2], ARGV[1] }
local first = ARGV[1] == ''
local entries
if first then
  entries = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
else
  entries = redis.pcall('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', MOST)
end

local foreign = false
if entries.err then
  if not string.find(entries.err, 'WRONGTYPE', 1, true) then
    error(entries.err, 0)
  end
  foreign = true
else
  for _, entry in ipairs(entries) do
    if #entry[2] ~= 6 or entry[2][3] ~= 'identifier' then
      foreign = true
    end
  end
end
if foreign then
  redis.call('DEL', KEYS[1])
  return { reply[1], '0-0', '' }
end

if first then
  reply[2] = entries[1] and entries[1][1] or '0-0'
  return reply
end
for _, entry in ipairs(entries) do
  reply[2] = entry[1]
  reply[#reply + 1] = entry[2][4]
end
return reply
