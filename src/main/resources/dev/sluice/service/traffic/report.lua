-- Replaces the numbers of one instance's requests in flight, and removes the reports of instances that are gone.
--
-- KEYS[1]  prefix of the keys, with their hash tag. The key is in the slot of this one
-- ARGV     id of the instance, its numbers as one text, empty if there are none; time in seconds for which a report holds
-- Returns  an array with 1; then, if foreign values were deleted, the number of their keys, and the first of them
--
-- reports  hash: Redis's time in seconds and the numbers, by instance

-- Follows own.lua, which defines call, own and repaired.

local time = redis.call('TIME')
local key = own(KEYS[1] .. ':reports', 'hash')
local now, expiry = tonumber(time[1]), tonumber(ARGV[3])

local all = call('HGETALL', key)
for i = 1, #all, 2 do
  local at = tonumber(string.match(all[i + 1], '^(%d+) '))
  if not at or now - at >= expiry then
    call('HDEL', key, all[i])
  end
end
if ARGV[2] == '' then
  call('HDEL', key, ARGV[1])
else
  call('HSET', key, ARGV[1], time[1] .. ' ' .. ARGV[2])
  call('EXPIRE', key, 2 * expiry)
end
if #repaired > 0 then
  return { 1, #repaired, repaired[1] }
end
return { 1 }
