-- Decides requests one after the other, each over all its windows: all of them take its cost, or none does.
--
-- KEYS     per request, in order:
--            the index of the identifier's windows: sorted set of names, scored by the second they are gone for certain
--            its windows, each in one of two forms:
--              log   a string of times of seven bytes each, one per unit, oldest first
--              ring  a list bucket,count,bucket,count,...,"~"total, oldest first
--                    a bucket is 1/60 of the window; it counts whole until its last microsecond has left the window
--            where it reserves: hash of "bucket:cost" by the window's name in the index
-- ARGV[1]  per request a byte: 32 and the number of its plan, from 1
-- ARGV[2]  how many plans there are
-- ARGV[..] per plan: how many windows, 1 to take or 0 to only ask, 1 where it reserves or 0, and per window: limit, length in
--          microseconds, cost, form ("log", "ring", or "reserved": a ring whose cost will be settled), name in the index
-- ARGV[..] per request that reserves: the reservation's name in the index
-- Returns  the time; then per request its status: 1 where it was admitted, 0 where not, and 2 for each microsecond by which it
--          was decided later than that time; and per window: units used, when the next one is free (0: none used), when the
--          refused cost would fit (0: it was not refused; -1: never). A status of -1 has nothing behind it: one of the keys
--          holds something else. Times are microseconds since 1970.
--
-- The clock is Redis's own, but never earlier than a window's newest entry. Where it is behind by more than SKEW it was
-- set back: the window is shifted with it, so that nobody is locked out and nobody is given anything.

local SKEW = 1000000
local TOTAL = 126 -- "~"
local TIME, BYTES = '>I7', 7
local SMALL = 64 * BYTES -- a log that may be written whole each time

local protected, call, pcall = pcall, redis.call, redis.pcall
local byte, sub, rep, format, floor = string.byte, string.sub, string.rep, string.format, math.floor
local pack, unpack = struct.pack, struct.unpack
local tonumber, type = tonumber, type
local KEYS, ARGV = KEYS, ARGV

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local stamp = pack(TIME, clock)

-- Redis would write numbers of its own as floating point, and takes long for it.
local function text(number)
  return format('%.0f', number)
end

-- Whether this is one: no text begins as its times do.
local function is_log(log)
  return type(log) == 'string' and #log % BYTES == 0 and #log > 0 and byte(log) < 32
end

-- The time of a log's unit, from 1.
local function unit(log, number)
  return (unpack(TIME, log, (number - 1) * BYTES + 1))
end

local function bucket_free(bucket, width, span)
  return (bucket + 1) * width - 1 + span
end

-- In milliseconds. Set once per window length (see note), so it must outlast a window that begins at the end of one.
local function lifetime(span)
  return floor(2 * span / 1000) + 1000
end

-- A log that was written by a clock that has been set back since.
local function shift_log(log, by)
  local units = {}
  for i = 1, #log / BYTES do
    units[i] = pack(TIME, unit(log, i) - by)
  end
  return table.concat(units)
end

local function shift_ring(key, by, span)
  local entries = call('LRANGE', key, 0, -2)
  for i = 1, #entries, 2 do
    call('LSET', key, i - 1, text(entries[i] - by))
  end
  call('PEXPIRE', key, lifetime(span))
end

-- What of a log is later than the edge, as its last unit is; and its first unit.
local function later(log, edge)
  local head = unit(log, 1)
  if head > edge then
    return log, head
  end
  local outside, inside = 1, 2
  local last = #log / BYTES
  head = unit(log, 2)
  while head <= edge do -- by doubling, then by halving
    outside = inside
    inside = inside * 2
    if inside > last then
      inside = last
    end
    head = unit(log, inside)
  end
  while inside - outside > 1 do
    local middle = floor((outside + inside) / 2)
    local at = unit(log, middle)
    if at <= edge then
      outside = middle
    else
      inside, head = middle, at
    end
  end
  return sub(log, (inside - 1) * BYTES + 1), head
end

local function purge_ring(key, total, now, width, span)
  local left = total
  local head = tonumber(call('LINDEX', key, 0))
  while head and bucket_free(head, width, span) <= now do
    left = left - call('LPOP', key, 2)[2]
    head = tonumber(call('LINDEX', key, 0)) -- the total, "~...", is no number
  end
  if not head then
    call('DEL', key)
    return 0
  end
  if left ~= total then
    call('LSET', key, -1, '~' .. text(left))
  end
  return left, head
end

local function open_ring(w, last)
  w.ring = true
  w.bucket = tonumber(last[1])
  w.count = tonumber(last[2])
  local start = w.bucket * w.width
  if start - clock > SKEW then
    local by = w.bucket - floor(clock / w.width)
    shift_ring(w.key, by, w.span)
    w.bucket = w.bucket - by
  elseif start > clock then
    w.now = start
  end
  w.noted = floor(w.bucket * w.width / w.span)
  w.used, w.head = purge_ring(w.key, tonumber(sub(last[3], 2)), w.now, w.width, w.span)
  if w.used > 0 then
    w.free = bucket_free(w.head, w.width, w.span)
  else
    call('DEL', w.key) -- what is left of it was settled to nothing
    w.noted, w.ring = nil, nil
  end
  return w
end

local function open_log(w, log)
  local last = unit(log, #log / BYTES)
  if last - clock > SKEW then
    log = shift_log(log, last - clock)
    call('SET', w.key, log, 'PX', lifetime(w.span))
    w.noted = floor(clock / w.span)
  else
    if last > clock then
      w.now = last
    end
    if last <= w.now - w.span then
      return w
    end
    w.noted = floor(last / w.span)
  end
  w.raw = log
  w.log, w.head = later(log, w.now - w.span)
  w.used = #w.log / BYTES
  w.free = w.head + w.span
  return w
end

-- Reads a window, without what has left it; nothing where the key holds something else.
local function open(key, span, form)
  local w = { key = key, span = span, width = floor(span / 60), now = clock, used = 0 }
  local log = form == 'log' and pcall('GET', key)
  if not log then
    if form == 'log' then
      return w
    end
  elseif is_log(log) then
    return open_log(w, log)
  end
  local last = pcall('LRANGE', key, -3, -1)
  if last.err then
    log = pcall('GET', key)
    return is_log(log) and open_log(w, log) or nil
  elseif #last == 0 then
    return w
  elseif #last == 3 and byte(last[3]) == TOTAL and tonumber(last[1]) and tonumber(last[2]) and tonumber(sub(last[3], 2)) then
    return open_ring(w, last)
  end
  return nil
end

-- When this many of the used units have left.
local function free_at(w, units)
  if not w.ring then
    return unit(w.log, units) + w.span
  end
  local entries = call('LRANGE', w.key, 0, -2)
  local sum = 0
  for i = 1, #entries, 2 do
    sum = sum + entries[i + 1]
    if sum >= units then
      return bucket_free(tonumber(entries[i]), w.width, w.span)
    end
  end
end

-- Turns a log into a ring: each unit counts as its bucket does.
local function to_ring(w)
  call('DEL', w.key)
  local bucket, count = floor(w.head / w.width), 0
  w.free = bucket_free(bucket, w.width, w.span)
  for i = 1, w.used do
    local b = floor(unit(w.log, i) / w.width)
    if b ~= bucket then
      call('RPUSH', w.key, text(bucket), text(count))
      bucket, count = b, 0
    end
    count = count + 1
  end
  call('RPUSH', w.key, text(bucket), text(count), '~' .. text(w.used))
  w.ring, w.bucket, w.count, w.noted, w.log = true, bucket, count, nil, nil
end

-- Turns a ring into a log: each unit counts until the last of its bucket has left, as before.
local function to_log(w)
  local entries = call('LRANGE', w.key, 0, -2)
  local units = {}
  for i = 1, #entries, 2 do
    units[#units + 1] = rep(pack(TIME, math.min((entries[i] + 1) * w.width - 1, w.now)), tonumber(entries[i + 1]))
  end
  w.log, w.ring, w.noted = table.concat(units), nil, nil
end

-- The index knows the window for as long as its key lives: for two window lengths more.
local function note(index, name, ms)
  call('ZREMRANGEBYSCORE', index, '-inf', time[1])
  call('ZADD', index, time[1] + math.ceil(ms / 1000), name)
  if call('PTTL', index) < ms then
    call('PEXPIRE', index, ms)
  end
end

-- Adds units to a log, of which Redis holds raw and log is what has not left. What has left is dropped at once where that is
-- little to write, else when it is a quarter: what is written is what replicas and the append-only file have to take. Room for
-- more units is made where there may be more. Once per window length at most it lives longer.
local function write_log(key, raw, log, units, full, span, now, noted, index, name)
  if noted ~= floor(now / span) then
    local ms = lifetime(span)
    call('SET', key, log .. units, 'PX', ms)
    note(index, name, ms)
  elseif log == raw and not full or #raw > SMALL and 4 * (#raw - #log) < #raw and log ~= raw then
    call('APPEND', key, units)
  else
    call('SET', key, log .. units, 'KEEPTTL')
  end
end

local function write_ring(w, cost, index, name)
  local bucket = floor(w.now / w.width)
  local total = '~' .. text(w.used + cost)
  if w.used == 0 then
    call('RPUSH', w.key, text(bucket), text(cost), total)
  elseif bucket == w.bucket then
    call('LSET', w.key, -2, text(w.count + cost))
    call('LSET', w.key, -1, total)
  else
    call('LSET', w.key, -1, text(bucket))
    call('RPUSH', w.key, text(cost), total)
  end
  w.free = w.free or bucket_free(bucket, w.width, w.span)
  if w.noted ~= floor(w.now / w.span) then
    local ms = lifetime(w.span)
    call('PEXPIRE', w.key, ms)
    note(index, name, ms)
  end
end

local function add(w, cost, limit, form, index, name)
  if form == 'log' then
    if w.ring then
      to_log(w)
    end
    write_log(w.key, w.raw, w.log or '', rep(w.now == clock and stamp or pack(TIME, w.now), cost), w.used + cost == limit,
      w.span, w.now, w.noted, index, name)
    w.free = w.free or w.now + w.span
  else
    if w.log then
      to_ring(w)
    elseif not w.ring then
      call('DEL', w.key) -- a log that has left whole
    end
    write_ring(w, cost, index, name)
  end
end

local function remember(w, cost, name, record, reservation, index)
  call('HSET', record, name, text(floor(w.now / w.width)) .. ':' .. text(cost))
  if call('PTTL', record) < lifetime(w.span) then
    call('PEXPIRE', record, lifetime(w.span))
    call('ZADD', index, time[1] + math.ceil(lifetime(w.span) / 1000), reservation)
  end
end

local reply = { clock }
local at = 1

local function answer(status, used, free, retry)
  reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = status, used, free, retry
  at = at + 4
end

local function fail()
  at = at + 1
  reply[at] = -1
end

-- Windows of any number and form.
local function decide(plan, first, reservation)
  local index = KEYS[first]
  local windows = {}
  local admitted = 1
  local now = clock -- of all windows the latest: one decision has one time
  for i = 1, #plan do
    local asked = plan[i]
    local w = open(KEYS[first + i], asked.span, asked.form)
    if not w then
      return fail()
    end
    local limit, cost = asked.limit, asked.cost
    w.retry = 0
    if cost > limit then
      admitted = 0
      w.retry = -1
    elseif cost > 0 and w.used + cost > limit then
      admitted = 0
      w.retry = free_at(w, w.used + cost - limit)
    end
    if w.now > now then
      now = w.now
    end
    windows[i] = w
  end
  at = at + 1
  reply[at] = admitted + 2 * (now - clock)
  for i = 1, #plan do
    local w, asked = windows[i], plan[i]
    w.now = now
    local cost = asked.cost
    if admitted == 1 and plan.take and cost > 0 then
      add(w, cost, asked.limit, asked.form, index, asked.name)
      if plan.reserves and asked.form == 'reserved' then
        remember(w, cost, asked.name, KEYS[first + #plan + 1], reservation, index)
      end
      w.used = w.used + cost
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = w.used, w.free or 0, w.retry
    at = at + 3
  end
end

-- One unit of one log: what nearly every request asks for, with as little as will do.
local function decide_unit(plan, first)
  local key, asked = KEYS[first + 1], plan[1]
  local span = asked.span
  local log = pcall('GET', key)
  local used, head, noted = 0, nil, nil
  local whole = log
  if log then
    if not is_log(log) then
      return decide(plan, first) -- a ring, or something else
    end
    local last = unit(log, #log / BYTES)
    if last > clock then
      return decide(plan, first) -- its clock was ahead
    end
    if last > clock - span then
      log, head = later(log, clock - span)
      used = #log / BYTES
      noted = floor(last / span)
    end
  end
  if used >= asked.limit then
    return answer(0, used, head + span, unit(log, used - asked.limit + 1) + span)
  elseif not plan.take then
    return answer(1, used, head and head + span or 0, 0)
  end
  write_log(key, whole, used > 0 and log or '', stamp, used + 1 == asked.limit, span, clock, noted, KEYS[first], asked.name)
  answer(1, used + 1, (head or clock) + span, 0)
end

local plans = {}
local arg = 3
for p = 1, tonumber(ARGV[2]) do
  local plan = { take = ARGV[arg + 1] == '1', reserves = ARGV[arg + 2] == '1' }
  local windows = tonumber(ARGV[arg])
  arg = arg + 3
  for i = 1, windows do
    plan[i] = { limit = tonumber(ARGV[arg]), span = tonumber(ARGV[arg + 1]), cost = tonumber(ARGV[arg + 2]),
      form = ARGV[arg + 3], name = ARGV[arg + 4] }
    arg = arg + 5
  end
  plan.unit = windows == 1 and plan[1].form == 'log' and plan[1].cost == 1
  plans[p] = plan
end

local codes = ARGV[1]
local first = 1
for i = 1, #codes do
  local plan = plans[byte(codes, i) - 32]
  local before = at
  local reservation = plan.reserves and ARGV[arg] or nil
  local done, why = protected(plan.unit and decide_unit or decide, plan, first, reservation)
  if not done then
    local said = type(why) == 'table' and why.err or tostring(why)
    if not string.find(said, 'WRONGTYPE', 1, true) then
      error(why, 0) -- Redis does not write: none of them is decided
    end
    while at > before do
      reply[at] = nil
      at = at - 1
    end
    fail()
  end
  first = first + #plan + 1
  if plan.reserves then
    arg = arg + 1
    first = first + 1
  end
end
return reply
