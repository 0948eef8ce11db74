-- Sends an instance's heartbeat; returns which other instances are alive, and what was reset.
--
-- KEYS[1]  the instances: sorted set, scored by the time of the last heartbeat, in microseconds
-- KEYS[2]  this instance's mark: "number:time" of its last announcement. A Redis that has lost data has lost marks with it
-- KEYS[3]  resets: stream of the instance that was asked, the identifier (empty: all) and the resource (empty: all)
-- ARGV[1]  the instance
-- ARGV[2]  the announcement's number; 0: only asks
-- ARGV[3]  the last reset that this instance knows of; empty: it has nothing that could be reset
-- ARGV[4]  1: the others can count on it, with all that it has granted; 0: not yet
-- Returns  the time, the mark as it was, the instances and their times, and the resets since. Only where keys were repaired,
--          two more elements: their number, and the name of the first one
--
-- Repair: the keys are Sluice's own, so a value of another type, or one that cannot be read, is deleted. A mark that was
-- foreign is returned as a number that no instance has reached: nothing can be concluded from it, so no data counts as lost.

-- An instance without a heartbeat for so long is gone; so is one that is ahead: the clock was set back since.
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

-- Whether a stream has entries that tell.lua did not write.
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
