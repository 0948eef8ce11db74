-- Returns what was told since.
--
-- KEYS[1]  what was told: see tell.lua
-- ARGV[1]  the last entry that is known; empty: returns only which one that is now
-- Returns  the time in microseconds since 1970, the last entry there is, and the identifiers that were named (empty: all)
--
-- A foreign value is deleted. What was told before is lost with it, so the answer then names all identifiers.

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
