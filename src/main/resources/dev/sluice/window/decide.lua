-- Decides requests one after the other, each over all its windows: all of them take its cost, or none does.
--
-- KEYS     per request, in order:
--            the index of the identifier's windows: sorted set of names, scored by the second they are gone for certain
--            its windows, each in one of two forms:
--              log   a list of times, one per unit, oldest first
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

local call, pcall = redis.call, redis.pcall
local byte, floor, format, tonumber, type = string.byte, math.floor, string.format, tonumber, type
local KEYS, ARGV = KEYS, ARGV

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

-- Redis would write numbers of its own as floating point, and takes long for it.
local function text(number)
  return format('%.0f', number)
end
local stamp = text(clock)

local function bucket_free(bucket, width, span)
  return (bucket + 1) * width - 1 + span
end

-- In milliseconds. Set once per window length (see touch), so it must outlast a window that begins at the end of one.
local function lifetime(span)
  return floor(2 * span / 1000) + 1000
end

-- Moves every step-th entry back: the window was written by a clock that has been set back since.
local function shift(key, span, by, last, step)
  local entries = call('LRANGE', key, 0, last)
  for i = 1, #entries, step do
    call('LSET', key, i - 1, text(entries[i] - by))
  end
  call('PEXPIRE', key, lifetime(span))
end

-- Drops what has left the window, whose newest entry has not; returns how many entries remain and the oldest.
local function purge_log(key, edge)
  local length = call('LLEN', key)
  local head = tonumber(call('LINDEX', key, 0))
  if head > edge then
    return length, head
  end
  -- Find the first that is inside, by doubling and then halving.
  local outside, inside = 0, 1
  head = tonumber(call('LINDEX', key, 1))
  while head <= edge do
    outside = inside
    inside = inside * 2
    if inside >= length then
      inside = length - 1
    end
    head = tonumber(call('LINDEX', key, inside))
  end
  while inside - outside > 1 do
    local middle = floor((outside + inside) / 2)
    local entry = tonumber(call('LINDEX', key, middle))
    if entry <= edge then
      outside = middle
    else
      inside, head = middle, entry
    end
  end
  call('LPOP', key, inside)
  return length - inside, head
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

-- Reads a window, without what has left it; nothing where the key holds something else.
local function open(key, span)
  local w = { key = key, span = span, width = floor(span / 60), now = clock, used = 0 }
  local newest = pcall('LINDEX', key, -1)
  if not newest then
    return w
  end
  if type(newest) == 'table' then
    return nil
  end
  if byte(newest) == TOTAL then
    local last = call('LRANGE', key, -3, -2)
    w.ring = true
    w.bucket = tonumber(last[1])
    w.count = tonumber(last[2])
    local start = w.bucket * w.width
    if start - clock > SKEW then
      local by = w.bucket - floor(clock / w.width)
      shift(key, span, by, -2, 2)
      w.bucket = w.bucket - by
    elseif start > clock then
      w.now = start
    end
    w.touched = floor(w.bucket * w.width / span)
    w.used, w.head = purge_ring(key, tonumber(string.sub(newest, 2)), w.now, w.width, span)
    if w.used > 0 then
      w.free = bucket_free(w.head, w.width, span)
    else
      call('DEL', key) -- what is left of it was settled to nothing
      w.touched, w.ring = nil, nil
    end
    return w
  end
  newest = tonumber(newest)
  if newest - clock > SKEW then
    shift(key, span, newest - clock, -1, 1)
    newest = clock
  elseif newest > clock then
    w.now = newest
  end
  if newest <= w.now - span then
    call('DEL', key)
    return w
  end
  w.touched = floor(newest / span)
  w.used, w.head = purge_log(key, w.now - span)
  w.free = w.head + span
  return w
end

-- When this many of the used units have left.
local function free_at(w, units)
  if not w.ring then
    return tonumber(call('LINDEX', w.key, units - 1)) + w.span
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
  local entries = call('LRANGE', w.key, 0, -1)
  call('DEL', w.key)
  local bucket, count
  for i = 1, #entries do
    local b = floor(entries[i] / w.width)
    if b == bucket then
      count = count + 1
    else
      if bucket then
        call('RPUSH', w.key, text(bucket), text(count))
      end
      bucket, count = b, 1
    end
  end
  call('RPUSH', w.key, text(bucket), text(count), '~' .. #entries)
  w.ring, w.bucket, w.count, w.touched = true, bucket, count, nil
  w.free = bucket_free(floor(entries[1] / w.width), w.width, w.span)
end

local function push(key, value, times)
  while times > 1 do
    local chunk = math.min(times, 1000)
    local values = {}
    for i = 1, chunk do
      values[i] = value
    end
    call('RPUSH', key, unpack(values))
    times = times - chunk
  end
  if times == 1 then
    call('RPUSH', key, value)
  end
end

-- Turns a ring into a log: each unit counts until the last of its bucket has left, as before.
local function to_log(w)
  local entries = call('LRANGE', w.key, 0, -2)
  call('DEL', w.key)
  for i = 1, #entries, 2 do
    push(w.key, text(math.min((entries[i] + 1) * w.width - 1, w.now)), tonumber(entries[i + 1]))
  end
  w.ring, w.touched = false, nil
end

local function add(w, cost, form)
  if w.used > 0 and w.ring and form == 'log' then
    to_log(w)
  elseif w.used > 0 and not w.ring and form ~= 'log' then
    to_ring(w)
  end
  if form == 'log' then
    push(w.key, w.now == clock and stamp or text(w.now), cost)
    w.free = w.free or w.now + w.span
    return
  end
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
end

-- The key lives for two window lengths more, and the index knows it.
local function touch(key, span, index, name)
  local ms = lifetime(span)
  call('PEXPIRE', key, ms)
  call('ZREMRANGEBYSCORE', index, '-inf', time[1])
  call('ZADD', index, time[1] + math.ceil(ms / 1000), name)
  if call('PTTL', index) < ms then
    call('PEXPIRE', index, ms)
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
    local w = open(KEYS[first + i], asked.span)
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
      add(w, cost, asked.form)
      if w.touched ~= floor(now / w.span) then -- once per window length at most
        touch(w.key, w.span, index, asked.name)
      end
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
  local newest = pcall('LINDEX', key, -1)
  local now, used, head = clock, 0, nil
  local touched
  if newest then
    if type(newest) == 'table' then
      return fail()
    end
    local last = tonumber(newest)
    if not last or last - clock > SKEW then
      return decide(plan, first)
    end
    if last > clock then
      now = last
    end
    if last > now - span then
      used, head = purge_log(key, now - span)
      touched = floor(last / span)
    else
      call('DEL', key)
    end
  end
  local status = 2 * (now - clock)
  if used >= asked.limit then
    return answer(status, used, head + span,
      used == asked.limit and head + span or tonumber(call('LINDEX', key, used - asked.limit)) + span)
  end
  if not plan.take then
    return answer(status + 1, used, head and head + span or 0, 0)
  end
  call('RPUSH', key, now == clock and stamp or text(now))
  if touched ~= floor(now / span) then
    touch(key, span, KEYS[first], asked.name)
  end
  answer(status + 1, used + 1, (head or now) + span, 0)
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
  if plan.unit then
    decide_unit(plan, first)
    first = first + 2
  elseif plan.reserves then
    decide(plan, first, ARGV[arg])
    arg = arg + 1
    first = first + #plan + 2
  else
    decide(plan, first)
    first = first + #plan + 1
  end
end
return reply
