-- Reads the counts of minutes of all instances. Read only, except that keys with foreign values are deleted.
--
-- KEYS[1]  prefix of the keys, with their hash tag: the minute follows. The keys are in the slot of this one
-- ARGV     number of minutes before the current one at which to begin, and number of minutes;
--          number of minutes before the current one of which there are lists of identifiers;
--          time in seconds for which a report holds
-- Returns  Redis's time in milliseconds, the reports of instances that are alive, then for each minute: its number, the fields of its counts, the identifiers with allowed
--          decisions, and those with denied ones, each followed by its count; then, if foreign values were deleted, the number of their keys,
--          and the first of them

-- Follows own.lua, which defines call, own and repaired.

local time = redis.call('TIME')
local now = math.floor(tonumber(time[1]) / 60)
local reply = { tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) }

local reports = {}
local all = call('HGETALL', own(KEYS[1] .. ':reports', 'hash'))
for i = 2, #all, 2 do
  local at, numbers = string.match(all[i], '^(%d+) (.*)$')
  if at and tonumber(time[1]) - tonumber(at) < tonumber(ARGV[4]) then
    reports[#reports + 1] = numbers
  end
end
reply[2] = reports

local first = now - tonumber(ARGV[1])

for minute = first, first + tonumber(ARGV[2]) - 1 do
  local prefix = KEYS[1] .. ':' .. string.format('%d', minute)
  local listed = now - minute < tonumber(ARGV[3])
  reply[#reply + 1] = {
    minute, call('HGETALL', own(prefix .. ':counts', 'hash')),
    listed and call('ZREVRANGE', own(prefix .. ':allowed', 'zset'), 0, -1, 'WITHSCORES') or {},
    listed and call('ZREVRANGE', own(prefix .. ':denied', 'zset'), 0, -1, 'WITHSCORES') or {},
  }
end
if #repaired > 0 then
  reply[#reply + 1] = #repaired
  reply[#reply + 1] = repaired[1]
end
return reply
