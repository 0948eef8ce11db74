-- Adds the counts of one instance to those of the current minute.
--
-- KEYS[1]  prefix of the keys, with their hash tag: the minute follows. The keys are in the slot of this one
-- ARGV     time to live of the counts in seconds, and of the identifiers;
--          maximum number of fields of a minute; maximum number of identifiers of each list;
--          number of fields, then each field with its count;
--          number of identifiers with allowed decisions, then each with its count; the same for denied ones;
--          maximum number of rates of an hour, number of rates, then each name with its rate
-- Returns  an array with the minute; then, if foreign values were deleted, the number of their keys, and the first of them
--
-- counts   hash: fields are added up to the maximum, those that exist always
-- allowed, denied  sorted sets by count: those with the lowest counts are removed, so that the counts are approximate
-- rates    hash of the hour: rates that came with requests, the last one of each name

-- Follows own.lua, which defines call, own and repaired.

local time = redis.call('TIME')
local minute = math.floor(tonumber(time[1]) / 60)
local prefix = KEYS[1] .. ':' .. string.format('%d', minute)

local counts = own(prefix .. ':counts', 'hash')
local size, max = call('HLEN', counts), tonumber(ARGV[3])
local i = 6
for _ = 1, tonumber(ARGV[5]) do
  if size < max or call('HEXISTS', counts, ARGV[i]) == 1 then
    local added = redis.pcall('HINCRBY', counts, ARGV[i], ARGV[i + 1])
    if type(added) == 'table' and added.err then -- no number
      call('HSET', counts, ARGV[i], ARGV[i + 1])
    end
    size = call('HLEN', counts)
  end
  i = i + 2
end
call('EXPIRE', counts, ARGV[1])

for _, name in ipairs({ ':allowed', ':denied' }) do
  local key = own(prefix .. name, 'zset')
  local number = tonumber(ARGV[i])
  i = i + 1
  for _ = 1, number do
    call('ZINCRBY', key, ARGV[i + 1], ARGV[i])
    i = i + 2
  end
  if number > 0 then
    call('ZREMRANGEBYRANK', key, 0, string.format('%d', -1 - tonumber(ARGV[4])))
    call('EXPIRE', key, ARGV[2])
  end
end

local number = tonumber(ARGV[i + 1])
if number > 0 then
  local rates = own(KEYS[1] .. ':rates:' .. string.format('%d', math.floor(minute / 60)), 'hash')
  local free = tonumber(ARGV[i]) - call('HLEN', rates)
  for j = i + 2, i + 2 * number, 2 do
    if free > 0 or call('HEXISTS', rates, ARGV[j]) == 1 then
      free = free - call('HSET', rates, ARGV[j], ARGV[j + 1])
    end
  end
  call('EXPIRE', rates, 7200)
end
if #repaired > 0 then
  return { minute, #repaired, repaired[1] }
end
return { minute }
