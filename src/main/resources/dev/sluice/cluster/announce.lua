-- Sends an instance's heartbeat. Returns the live instances and the resets that other instances have published.
--
-- KEYS[1]  live instances: sorted set, scored by the time of the last heartbeat in microseconds
-- KEYS[2]  mark of this instance: "number:time" of its last heartbeat. A Redis that has lost data has lost newer marks too
-- KEYS[3]  resets: stream of the instance that received the reset, the identifier (empty: all) and the resource (empty: all)
-- ARGV[1]  the instance
-- ARGV[2]  the number of the heartbeat; 0: read only, the mark is not changed
-- ARGV[3]  the last reset that this instance has processed; empty: it has no windows that could be reset
-- ARGV[4]  1: all that this instance has granted is counted in Redis, and it is listed as live; 0: not yet
-- Returns  the time, the previous mark, the instances and their times, and the resets since ARGV[3]. If keys were repaired, two
--          more elements: their number, and the first key
--
-- Repair: the keys belong to Sluice, so a value of another type, or one that cannot be parsed, is deleted. A foreign mark is
-- returned as a number that no instance has reached: it proves nothing, so no data counts as lost.

-- Microseconds without a heartbeat until an instance is gone. One that is ahead by as much is gone too: the clock was set back.
local GONE = 5000000
local MARK_SECONDS = 32 * 24 * 3600
local UNKNOWN = '9007199254740991'

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local repaired, first_repaired = 0, nil

local function repair(key)
  local done = redis.pcall('UNLINK', key)
  if type(done) == 'table' then
    redis.call('DEL', key)
  end
  repaired = repaired + 1
  first_repaired = first_repaired or key
end

-- Calls a command; deletes the key first where it holds a value of another type.
local function own(command, key, ...)
  local done = redis.pcall(command, key, ...)
  if type(done) == 'table' and done.err then
    if not string.find(done.err, 'WRONGTYPE', 1, true) then
      error(done.err, 0)
    end
    repair(key)
    return redis.call(command, key, ...)
  end
  return done
end

-- Returns whether a stream has entries that tell.lua did not write.
local function foreign(entries)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    if #fields ~= 6 or fields[1] ~= 'by' or fields[3] ~= 'identifier' or fields[5] ~= 'resource' then
      return true
    end
  end
  return false
end

local mark = redis.pcall('GET', KEYS[2])
if type(mark) == 'table' and not string.find(mark.err, 'WRONGTYPE', 1, true) then
  error(mark.err, 0)
elseif mark and (type(mark) == 'table' or not string.find(mark, '^%d+:%d+$') or #mark > 40) then
  repair(KEYS[2])
  mark = UNKNOWN .. ':' .. string.format('%.0f', clock)
end

if ARGV[4] == '1' then
  own('ZADD', KEYS[1], clock, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], 60000)
end
if ARGV[2] ~= '0' then
  redis.call('SET', KEYS[2], ARGV[2] .. ':' .. string.format('%.0f', clock), 'EX', MARK_SECONDS)
end
own('ZREMRANGEBYSCORE', KEYS[1], '-inf', clock - GONE)
redis.call('ZREMRANGEBYSCORE', KEYS[1], clock + GONE, '+inf')

local resets
if ARGV[3] == '' then
  resets = own('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
else
  resets = own('XRANGE', KEYS[3], '(' .. ARGV[3], '+', 'COUNT', 1000)
end
if foreign(resets) then
  repair(KEYS[3])
  resets = {}
end
local reply = { clock, mark or '', redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), resets }
if repaired > 0 then
  reply[5], reply[6] = repaired, first_repaired
end
return reply
