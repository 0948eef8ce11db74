-- Replaces the numbers of one instance's requests in flight, and removes the reports of instances that are gone.
--
-- KEYS[1]  prefix of the keys, with their hash tag. The key is in the slot of this one
-- ARGV     id of the instance, its numbers as one text, empty if there are none; time in seconds for which a report holds
-- Returns  an array with 1; then, if foreign values were deleted, the number of their keys, and the first of them
--
-- reports  hash: Redis's time in seconds and the numbers, by instance

local call = redis.call
local repaired = {}
-- Deletes a key that holds a value of another type.
local function own(key, expected)
  local actual = call('TYPE', key).ok
  if actual ~= expected and actual ~= 'none' then
    call('DEL', key)
    repaired[#repaired + 1] = key
  end
  return key
end

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
