-- Deletes windows and removes them from the index of their identifier. Atomic with respect to decisions.
--
-- KEYS[1]    index of the identifier's windows
-- KEYS[i+1]  window i
-- KEYS[...]  reservations of the identifier: their entries for these windows are deleted
-- ARGV[i]    the name of window i in the index
--
-- Accepts any number of windows. Each takes Redis about a microsecond, plus as much per reservation: callers with many windows
-- call the script for some hundreds at a time, so that other decisions do not wait. Foreign values are deleted.

local TOGETHER = 1000 -- Lua's unpack is limited to about 8,000 values

local function each(command, key, values, from, to)
  for i = from, to, TOGETHER do
    local done
    if key then
      done = redis.pcall(command, key, unpack(values, i, math.min(i + TOGETHER - 1, to)))
    else
      done = redis.pcall(command, unpack(values, i, math.min(i + TOGETHER - 1, to)))
    end
    if type(done) == 'table' and done.err then
      if not key or not string.find(done.err, 'WRONGTYPE', 1, true) then
        error(done.err, 0)
      end
      redis.call('DEL', key)
      return
    end
  end
end

each('DEL', nil, KEYS, 2, #ARGV + 1)
each('ZREM', KEYS[1], ARGV, 1, #ARGV)
for i = #ARGV + 2, #KEYS do
  each('HDEL', KEYS[i], ARGV, 1, #ARGV)
end
return #ARGV
