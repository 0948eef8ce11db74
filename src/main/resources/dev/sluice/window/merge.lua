-- Brings into an identifier's windows what was granted without them. A window may hold more than its limit afterwards.
--
-- KEYS[1]    index of the identifier's windows
-- KEYS[i+1]  window i, in the forms that decide.lua keeps
-- KEYS[...]  reservations that are to be settled yet, as decide.lua keeps them
-- ARGV[1]    how many windows
-- ARGV[...]  per window: name in the index, length in microseconds, form of the entries (seen, log or ring), entries:
--            "time:units,time:units" or "bucket:units,bucket:units", oldest first. "seen" comes first
-- ARGV[...]  per reservation: its name in the index, the longest of its windows in microseconds, how many, then per window:
--            name in the index, "bucket:cost"
--
-- What was "seen" had been counted here: what a log still holds of it, at the very same time, is not counted again. So all
-- that anybody remembers may be brought to a Redis that has lost something. The other entries are added.

local BYTES = 7

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

-- Two lists: times or buckets, and units.
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

local function read_log(times)
  local at, units = {}, {}
  for i = 1, #times, BYTES do
    local t = struct.unpack('>I7', times, i)
    if t == at[#at] then
      units[#units] = units[#units] + 1
    else
      at[#at + 1], units[#units + 1] = t, 1
    end
  end
  return at, units
end

local function read_ring(entries)
  local at, units = {}, {}
  for i = 1, #entries - 1, 2 do
    at[#at + 1], units[#units + 1] = tonumber(entries[i]), tonumber(entries[i + 1])
  end
  return at, units
end

-- Both in order; together says how many units there are at what stands in both.
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
      if a[n] == a[n - 1] then -- of times that were cut to now
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
  local times, held = {}, 0
  for i = 1, #at do
    if at[i] > edge then
      times[#times + 1] = string.rep(struct.pack('>I7', at[i]), units[i])
      held = held + units[i]
    end
  end
  redis.call('DEL', key)
  if held > 0 then
    redis.call('SET', key, table.concat(times))
  end
  return held
end

local function write_ring(key, at, units, width, span)
  local values, total = {}, 0
  for i = 1, #at do
    if (at[i] + 1) * width - 1 + span > clock and units[i] > 0 then
      values[#values + 1], values[#values + 2] = text(at[i]), text(units[i])
      total = total + units[i]
    end
  end
  if total > 0 then
    values[#values + 1] = '~' .. text(total)
  end
  redis.call('DEL', key)
  if total > 0 then
    redis.call('RPUSH', key, unpack(values)) -- about sixty pairs at the most
  end
  return total
end

local function live(key, ms, name)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, ms)
  end
  redis.call('ZADD', KEYS[1], 'GT', time[1] + math.ceil(ms / 1000), name)
  if redis.call('PTTL', KEYS[1]) < ms then
    redis.call('PEXPIRE', KEYS[1], ms)
  end
end

local function lifetime(span)
  return math.floor(2 * span / 1000) + 1000
end

local function bring(key, name, span, form, entries)
  local width = math.floor(span / 60)
  local there = redis.pcall('GET', key) or ''
  local ring = type(there) ~= 'string' or #there % BYTES > 0 or (string.byte(there) or 0) > 31
  local latest = clock
  if ring then
    there = redis.call('LRANGE', key, 0, -1)
  elseif there ~= '' then
    latest = math.max(clock, (struct.unpack('>I7', there, #there - BYTES + 1)))
  end
  local at, units
  local held
  if form == 'seen' and ring then
    return -- nobody can tell what of it is there
  elseif form ~= 'ring' and not ring then
    at, units = parse(entries, latest)
    local a, u = read_log(there)
    a, u = merge(a, u, at, units, form == 'seen' and math.max or sum)
    held = write_log(key, a, u, latest - span)
  else
    if form == 'log' then
      at, units = parse(entries, latest)
      at, units = buckets(at, units, width)
    else
      at, units = parse(entries, math.floor(clock / width))
    end
    local a, u
    if ring then
      a, u = read_ring(there)
    else
      a, u = read_log(there)
      a, u = buckets(a, u, width)
    end
    a, u = merge(a, u, at, units, sum)
    held = write_ring(key, a, u, width, span)
  end
  if held > 0 then
    live(key, lifetime(span), name)
  end
end

local windows = tonumber(ARGV[1])
for i = 1, windows do
  local at = 4 * i - 2
  bring(KEYS[i + 1], ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3])
end

local at = 4 * windows + 2
for i = windows + 2, #KEYS do
  local name, span, parts = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  for _ = 1, parts do
    redis.call('HSET', KEYS[i], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
  live(KEYS[i], lifetime(span), name)
end
return redis.call('TIME')
