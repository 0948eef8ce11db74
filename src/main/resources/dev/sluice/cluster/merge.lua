-- Merges into an identifier's windows what was granted without Redis. A window may exceed its limit afterwards.
--
-- KEYS[1]    index of the identifier's windows
-- KEYS[i+1]  window i, in the formats of decide.lua
-- KEYS[...]  reservations that are not settled yet, as decide.lua writes them
-- ARGV[1]    number of windows
-- ARGV[...]  per window: name in the index, length in microseconds (of a calendar window: of its period, followed by "@" and the
--            period's begin in Unix seconds; nothing is merged into a period that is over), form of the
--            entries (seen, log or ring), entries: "time:units,time:units" or "bucket:units,bucket:units", oldest first. "seen"
--            comes first
-- ARGV[...]  per reservation: its name in the index, the longest of its windows in microseconds, number of windows, then per
--            window: name in the index, "bucket:cost"
--
-- Returns    the time: seconds and microseconds. If keys were repaired, two more elements: their number, and the first key
--
-- "seen" entries were counted in this Redis before. Units that a log still holds at exactly the same time do not count twice.
-- Everything that the instances remember can therefore be merged into a Redis that has lost data. Other entries are added.
--
-- A foreign value is deleted, and the window starts with the merged entries. Rings in the old format are converted.

local BYTES = 7
local RING, HEADER, ENTRY, ENTRY_BYTES = 82, 8, '>I7I7', 14
local MOST_UNITS = 2 ^ 52
local NAMES, RESERVATIONS = 10000, 2 ^ 40 -- see decide.lua
local HEAVY, FLAG, WEIGHTED, MODULUS = 16, 72, '>I7BI3I3', 2 ^ 24 -- see decide.lua
local SKEW = 1000000
local CALENDAR_MARGIN = 60000 -- see decide.lua

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

local repaired, first_repaired = 0, nil

local function foreign_only(failed)
  if not string.find(failed.err, 'WRONGTYPE', 1, true) then
    error(failed.err, 0)
  end
end

-- Deletes a foreign value. Fails if Redis does not permit that.
local function repair(key)
  local done = redis.pcall('UNLINK', key)
  if type(done) == 'table' then
    done = redis.pcall('DEL', key)
    if type(done) == 'table' then
      error('WRONGTYPE ' .. key .. ' holds a foreign value, which Redis does not let Sluice delete', 0)
    end
  end
  repaired = repaired + 1
  first_repaired = first_repaired or key
end

local function write(command, key, ...)
  local done = redis.pcall(command, key, ...)
  if type(done) == 'table' and done.err then
    foreign_only(done)
    repair(key)
    redis.call(command, key, ...)
  end
end

-- Returns two lists: times or buckets, and units.
local function parse(entries, newest)
  local at, units = {}, {}
  for a, u in string.gmatch(entries, '(%-?%d+):(%d+)') do
    at[#at + 1] = math.min(tonumber(a), newest)
    units[#units + 1] = tonumber(u)
  end
  return at, units
end

local function buckets(at, units, width)
  local bucket, count = {}, {}
  for i = 1, #at do
    local b = math.floor(at[i] / width)
    if b == bucket[#bucket] then
      count[#count] = count[#count] + units[i]
    else
      bucket[#bucket + 1], count[#count + 1] = b, units[i]
    end
  end
  return bucket, count
end

-- Returns the time of the newest unit of a log.
local function newest(times)
  local weighted = string.byte(times, #times - BYTES + 1) == FLAG
  return (struct.unpack('>I7', times, #times - (weighted and 2 or 1) * BYTES + 1))
end

-- Returns the times of a log that are later than the edge, with their units.
local function read_log(times, edge)
  local at, units = {}, {}
  local i, before = 1, 0
  while i <= #times do
    local t = struct.unpack('>I7', times, i)
    local count = 1
    i = i + BYTES
    if string.byte(times, i) == FLAG then -- an entry of a weighted log
      local _, _, _, sum = struct.unpack(WEIGHTED, times, i - BYTES)
      count, before = (sum - before) % MODULUS, sum
      i = i + BYTES
    end
    if t == at[#at] then
      units[#units] = units[#units] + count
    elseif t > edge then
      at[#at + 1], units[#units + 1] = t, count
    end
  end
  return at, units
end

local function read_ring(ring)
  local at, units = {}, {}
  local before = struct.unpack('>I7', ring, 2)
  for i = HEADER + 1, #ring, ENTRY_BYTES do
    local sum, bucket = struct.unpack(ENTRY, ring, i)
    at[#at + 1], units[#units + 1] = bucket, sum - before
    before = sum
  end
  return at, units
end

-- Returns nil if the list is not a ring in the old format.
local function read_list(entries)
  local last = #entries
  if last < 3 or last % 2 == 0 or string.byte(entries[last]) ~= 126 then
    return nil
  end
  local at, units = {}, {}
  for i = 1, last - 1, 2 do
    local bucket, count = tonumber(entries[i]), tonumber(entries[i + 1])
    if not bucket or not count then
      return nil
    end
    at[#at + 1], units[#units + 1] = bucket, count
  end
  return at, units
end

-- Returns whether the end of a value is that of a log.
local function is_log(value)
  if string.byte(value, #value - BYTES + 1) ~= FLAG then
    return string.byte(value, #value - BYTES + 1) < 32
  end
  if #value < 2 * BYTES then
    return false
  end
  local last, _, plain = struct.unpack(WEIGHTED, value, #value - 2 * BYTES + 1)
  local entries = (#value / BYTES - plain) / 2
  return last < 32 * 2 ^ 48 and entries >= 1 and entries == math.floor(entries)
end

-- Returns the entries of a ring, or the times of a log, or nil if there is no window. Deletes a foreign value.
local function read(key)
  local there = redis.pcall('GET', key)
  if not there or there == '' then
    return nil, nil
  elseif type(there) == 'table' then
    foreign_only(there)
    local entries = redis.pcall('LRANGE', key, '0', '400')
    if not entries.err then
      local at, units = read_list(entries)
      if at then
        return { at = at, units = units }, nil
      end
    end
  elseif string.byte(there) == RING and #there % ENTRY_BYTES == HEADER and #there > HEADER then
    local at, units = read_ring(there)
    return { at = at, units = units }, nil
  elseif #there % BYTES == 0 and (string.byte(there) < 32 and is_log(there)) then
    return nil, there
  end
  repair(key)
  return nil, nil
end

-- Merges two ordered lists; combines the units of entries that are in both with the function together.
local function merge(at, units, more, many, together)
  local a, u = {}, {}
  local i, j = 1, 1
  while i <= #at or j <= #more do
    local n = #a + 1
    if j > #more or at[i] and at[i] < more[j] then
      a[n], u[n] = at[i], units[i]
      i = i + 1
    elseif i > #at or more[j] < at[i] then
      a[n], u[n] = more[j], many[j]
      j = j + 1
      if a[n] == a[n - 1] then -- times that were capped at the current time are equal
        u[n - 1], a[n], u[n] = u[n - 1] + u[n], nil, nil
      end
    else
      a[n], u[n] = at[i], together(units[i], many[j])
      i, j = i + 1, j + 1
    end
  end
  return a, u
end

local function sum(a, b)
  return a + b
end

local function write_log(key, at, units, edge)
  local times, held, plain, sum = {}, 0, 0, nil
  for i = 1, #at do
    if at[i] > edge and units[i] > 0 then
      if sum or units[i] > HEAVY then
        sum = (sum or 0) + units[i]
        times[#times + 1] = struct.pack(WEIGHTED, at[i], FLAG, plain, sum % MODULUS)
      else
        times[#times + 1] = string.rep(struct.pack('>I7', at[i]), units[i])
        plain = plain + units[i]
      end
      held = held + units[i]
    end
  end
  if held > 0 then
    redis.call('SET', key, table.concat(times))
  else
    redis.call('DEL', key)
  end
  return held
end

local function write_ring(key, at, units, width, span, now)
  local entries, total = { struct.pack('>BI7', RING, 0) }, 0
  for i = 1, #at do
    if (at[i] + 1) * width - 1 + span > now and units[i] > 0 then
      total = math.min(total + units[i], MOST_UNITS)
      entries[#entries + 1] = struct.pack(ENTRY, total, at[i])
    end
  end
  if total > 0 then
    redis.call('SET', key, table.concat(entries)) -- at most about sixty buckets
  else
    redis.call('DEL', key)
  end
  return total
end

-- Removes the names that expire first, beyond a number of them.
local function bound_names(from, to)
  local names = redis.call('ZCOUNT', KEYS[1], from, to)
  if names > NAMES then
    local first = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. from)
    redis.call('ZREMRANGEBYRANK', KEYS[1], first, first + names - NAMES - 1)
  end
end

-- offset: 0, or RESERVATIONS
local function live(key, ms, name, offset)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, ms)
  end
  write('ZADD', KEYS[1], 'GT', string.format('%.0f', offset + time[1] + math.ceil(ms / 1000)), name)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1])
  local limit = string.format('%.0f', RESERVATIONS)
  if offset == 0 then
    bound_names(time[1], '(' .. limit)
  else
    bound_names(limit, '+inf')
  end
  if redis.call('PTTL', KEYS[1]) < ms then
    redis.call('PEXPIRE', KEYS[1], ms)
  end
end

-- begins: of the period of a calendar window
local function lifetime(span, begins)
  if begins then
    return math.max(0, math.ceil((begins + span - clock) / 1000)) + CALENDAR_MARGIN
  end
  return math.floor(2 * span / 1000) + 1000
end

-- Merges into one window. The units of a calendar window are in its period, and none leaves it before the end.
local function bring(key, name, span, form, entries, begins)
  local width = math.floor(span / 60)
  local ring, times = read(key)
  local latest = math.max(clock, begins or 0)
  if times then
    latest = math.max(latest, newest(times))
  end
  if begins then
    latest = math.min(latest, begins + span - 1)
  end
  local edge = begins and begins - 1 or latest - span
  local at, units
  local held
  if form == 'seen' and ring then
    return -- a ring does not say which of them it still holds
  elseif form ~= 'ring' and not ring then
    at, units = parse(entries, latest)
    local a, u = read_log(times or '', edge)
    a, u = merge(a, u, at, units, form == 'seen' and math.max or sum)
    held = write_log(key, a, u, edge)
  else
    local now = math.max(clock, begins or 0)
    if form == 'log' then
      at, units = parse(entries, latest)
      at, units = buckets(at, units, width)
    else
      at, units = parse(entries, math.floor(now / width))
    end
    local a, u
    if ring then
      a, u = ring.at, ring.units
      local ahead = a[#a] - math.floor(now / width)
      if ahead * width > SKEW and not begins then -- the clock was set back: see decide.lua
        for i = 1, #a do
          a[i] = a[i] - ahead
        end
      end
    else
      a, u = read_log(times or '', edge)
      a, u = buckets(a, u, width)
    end
    a, u = merge(a, u, at, units, sum)
    held = write_ring(key, a, u, width, span, begins or math.max(clock, a[#a] * width))
  end
  if held > 0 then
    live(key, lifetime(span, begins), name, 0)
  end
end

local windows = tonumber(ARGV[1])
for i = 1, windows do
  local at = 4 * i - 2
  local span, begins = tonumber(ARGV[at + 1]), nil
  if not span then
    span, begins = string.match(ARGV[at + 1], '^(%d+)@(%-?%d+)$')
    span, begins = tonumber(span), begins * 1000000
  end
  if not begins or clock < begins + span then
    bring(KEYS[i + 1], ARGV[at], span, ARGV[at + 2], ARGV[at + 3], begins)
  end
end

local at = 4 * windows + 2
for i = windows + 2, #KEYS do
  local name, span, parts = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  for _ = 1, parts do
    write('HSET', KEYS[i], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
  live(KEYS[i], lifetime(span), name, RESERVATIONS)
end
if repaired > 0 then
  return { time[1], time[2], repaired, first_repaired }
end
return time
