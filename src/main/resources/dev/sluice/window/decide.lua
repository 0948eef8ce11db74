-- Decides one request over all its windows: all of them take its cost, or none does.
--
-- KEYS[1]    index of the identifier's windows: sorted set of names, scored by the second they are gone for certain
-- KEYS[i+1]  window i, in one of two forms:
--              log   a list of times, one per unit, oldest first
--              ring  a list bucket,count,bucket,count,...,"~"total, oldest first
--                    a bucket is 1/60 of the window; it counts whole until its last microsecond has left the window
-- KEYS[last] where something is reserved: hash of "bucket:cost" by the window's name in the index
-- ARGV[1]    1: take, 0: only ask
-- ARGV[2]    the reservation's name in the index, or nothing
-- ARGV[...]  per window: limit, length in microseconds, cost, form ("log", "ring", or "reserved": a ring whose cost will be
--            settled), name in the index
-- Returns    admitted (1 or 0), the time, then per window: units used, when the next one is free (0: none used),
--            when the refused cost would fit (0: it was not refused; -1: never). Times are microseconds since 1970.
--
-- The clock is Redis's own, but never earlier than a window's newest entry. Where it is behind by more than SKEW it was
-- set back: the window is shifted with it, so that nobody is locked out and nobody is given anything.

local SKEW = 1000000

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local take = ARGV[1] == '1'
local reserving = ARGV[2] ~= ''

local function bucket_free(bucket, width, span)
  return (bucket + 1) * width - 1 + span
end

-- In milliseconds. Set once per window length (see touch), so it must outlast a window that begins at the end of one.
local function lifetime(span)
  return math.floor(2 * span / 1000) + 1000
end

-- Moves every step-th entry back: the window was written by a clock that has been set back since.
local function shift(key, span, by, last, step)
  local entries = redis.call('LRANGE', key, 0, last)
  for i = 1, #entries, step do
    redis.call('LSET', key, i - 1, entries[i] - by)
  end
  redis.call('PEXPIRE', key, lifetime(span))
end

-- Drops what has left the window; returns how many entries remain and the oldest.
local function purge_log(key, edge)
  local length = redis.call('LLEN', key)
  local head = tonumber(redis.call('LINDEX', key, 0))
  if head > edge then
    return length, head
  end
  -- The newest is inside. Find the first that is, by doubling and then halving.
  local outside, inside = 0, 1
  while tonumber(redis.call('LINDEX', key, inside)) <= edge do
    outside = inside
    inside = math.min(inside * 2, length - 1)
  end
  while inside - outside > 1 do
    local middle = math.floor((outside + inside) / 2)
    if tonumber(redis.call('LINDEX', key, middle)) <= edge then
      outside = middle
    else
      inside = middle
    end
  end
  redis.call('LPOP', key, inside)
  return length - inside, tonumber(redis.call('LINDEX', key, 0))
end

local function purge_ring(key, total, now, width, span)
  local left = total
  local head = tonumber(redis.call('LINDEX', key, 0))
  while head and bucket_free(head, width, span) <= now do
    left = left - redis.call('LPOP', key, 2)[2]
    head = tonumber(redis.call('LINDEX', key, 0)) -- the total, "~...", is no number
  end
  if not head then
    redis.call('DEL', key)
    return 0
  end
  if left ~= total then
    redis.call('LSET', key, -1, '~' .. string.format('%.0f', left))
  end
  return left, head
end

-- Reads a window, without what has left it.
local function open(key, span)
  local w = { key = key, span = span, width = math.floor(span / 60), now = clock, used = 0 }
  local last = redis.call('LRANGE', key, -3, -1)
  local newest = last[#last]
  if not newest then
    return w
  end
  if string.byte(newest) == 126 then
    w.ring = true
    w.bucket = tonumber(last[1])
    w.count = tonumber(last[2])
    local start = w.bucket * w.width
    if start - clock > SKEW then
      local by = w.bucket - math.floor(clock / w.width)
      shift(key, span, by, -2, 2)
      w.bucket = w.bucket - by
    elseif start > clock then
      w.now = start
    end
    w.touched = math.floor(w.bucket * w.width / span)
    w.used, w.head = purge_ring(key, tonumber(string.sub(newest, 2)), w.now, w.width, span)
    if w.used > 0 then
      w.free = bucket_free(w.head, w.width, span)
    else
      redis.call('DEL', key) -- what is left of it was settled to nothing
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
    redis.call('DEL', key)
    return w
  end
  w.touched = math.floor(newest / span)
  w.used, w.head = purge_log(key, w.now - span)
  w.free = w.head + span
  return w
end

-- When this many of the used units have left.
local function free_at(w, units)
  if not w.ring then
    return tonumber(redis.call('LINDEX', w.key, units - 1)) + w.span
  end
  local entries = redis.call('LRANGE', w.key, 0, -2)
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
  local entries = redis.call('LRANGE', w.key, 0, -1)
  redis.call('DEL', w.key)
  local bucket, count
  for i = 1, #entries do
    local b = math.floor(entries[i] / w.width)
    if b == bucket then
      count = count + 1
    else
      if bucket then
        redis.call('RPUSH', w.key, bucket, count)
      end
      bucket, count = b, 1
    end
  end
  redis.call('RPUSH', w.key, bucket, count, '~' .. #entries)
  w.ring, w.bucket, w.count, w.touched = true, bucket, count, nil
  w.free = bucket_free(math.floor(entries[1] / w.width), w.width, w.span)
end

local function push(key, value, times)
  while times > 0 do
    local chunk = math.min(times, 1000)
    local values = {}
    for i = 1, chunk do
      values[i] = value
    end
    redis.call('RPUSH', key, unpack(values))
    times = times - chunk
  end
end

-- Turns a ring into a log: each unit counts until the last of its bucket has left, as before.
local function to_log(w)
  local entries = redis.call('LRANGE', w.key, 0, -2)
  redis.call('DEL', w.key)
  for i = 1, #entries, 2 do
    push(w.key, math.min((entries[i] + 1) * w.width - 1, w.now), tonumber(entries[i + 1]))
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
    push(w.key, w.now, cost)
    w.free = w.free or w.now + w.span
    return
  end
  local bucket = math.floor(w.now / w.width)
  local total = '~' .. string.format('%.0f', w.used + cost)
  if w.used == 0 then
    redis.call('RPUSH', w.key, bucket, cost, total)
  elseif bucket == w.bucket then
    redis.call('LSET', w.key, -2, w.count + cost)
    redis.call('LSET', w.key, -1, total)
  else
    redis.call('LSET', w.key, -1, bucket)
    redis.call('RPUSH', w.key, cost, total)
  end
  w.free = w.free or bucket_free(bucket, w.width, w.span)
end

-- Once per window length at most: the key lives for two more, and the index knows it.
local function touch(w, name)
  if w.touched == math.floor(w.now / w.span) then
    return
  end
  local ms = lifetime(w.span)
  redis.call('PEXPIRE', w.key, ms)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1])
  redis.call('ZADD', KEYS[1], time[1] + math.ceil(ms / 1000), name)
  if redis.call('PTTL', KEYS[1]) < ms then
    redis.call('PEXPIRE', KEYS[1], ms)
  end
end

local function remember(w, cost, name)
  redis.call('HSET', KEYS[#KEYS], name, string.format('%.0f:%.0f', math.floor(w.now / w.width), cost))
  if redis.call('PTTL', KEYS[#KEYS]) < lifetime(w.span) then
    redis.call('PEXPIRE', KEYS[#KEYS], lifetime(w.span))
    redis.call('ZADD', KEYS[1], time[1] + math.ceil(lifetime(w.span) / 1000), ARGV[2])
  end
end

local windows = {}
local admitted = 1
local now = clock -- of all windows the latest: one decision has one time
for i = 1, (#ARGV - 2) / 5 do
  local at = 5 * i - 2
  local limit, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 2])
  local w = open(KEYS[i + 1], tonumber(ARGV[at + 1]))
  w.retry = 0
  if cost > limit then
    admitted = 0
    w.retry = -1
  elseif cost > 0 and w.used + cost > limit then
    admitted = 0
    w.retry = free_at(w, w.used + cost - limit)
  end
  now = math.max(now, w.now)
  windows[i] = w
end

local reply = { admitted, now }
for i = 1, #windows do
  local w = windows[i]
  w.now = now
  local at = 5 * i - 2
  local cost = tonumber(ARGV[at + 2])
  if admitted == 1 and take and cost > 0 then
    add(w, cost, ARGV[at + 3])
    touch(w, ARGV[at + 4])
    if reserving and ARGV[at + 3] == 'reserved' then
      remember(w, cost, ARGV[at + 4])
    end
    w.used = w.used + cost
  end
  local n = #reply
  reply[n + 1] = w.used
  reply[n + 2] = w.free or 0
  reply[n + 3] = w.retry
end
return reply
