-- Decides requests one after the other. A request takes its cost from all of its windows, or from none of them.
--
-- KEYS     per request, in order:
--            index of the identifier's windows: sorted set of names, scored by the expiry of the key in Unix seconds
--            its windows, each a string in one of two forms:
--              log   times of seven bytes each, one per unit, oldest first. The first byte of a time is less than 32. From the
--                    first cost above HEAVY on, it continues with one entry of 14 bytes per request: its time, "H", the number
--                    of times before the first entry (three bytes), and the units of all entries up to and including this
--                    one, modulo 2^24 (three bytes). The log is then weighted
--              ring  "R", seven bytes of base, then 14 bytes per bucket, oldest first: the units up to and including this
--                    bucket, plus base (seven bytes); the bucket's number (seven bytes). A bucket is 1/60 of the window and
--                    counts until its last microsecond has left the window
--            or the slots of requests in flight, a sorted set (see the part "slots"), in place of a window
--            the reservation, if the plan reserves: hash of "bucket:cost" by the window's name in the index
-- ARGV[1]  one byte per request: 32 plus the number of its plan, from 1
-- ARGV[2]  two bytes per request, most significant first: the number of consecutive requests in its group; 1 for plans that
--          reserve. Empty if every group has one request
-- ARGV[3]  number of plans
-- ARGV[4]  maximum number of windows of an identifier
-- ARGV[5]  name of the instance in the slots of requests in flight
-- ARGV[..] per plan: number of windows, 1 to take or 0 to read only, its kind, and per window: limit, length in microseconds (of a
--          calendar window: of its period, followed by "@" and the period's begin in Unix seconds), cost, form ("log", "ring",
--          "reserved": a ring whose cost will be settled, or "slots": of requests in flight), name in the index; if there are several identifiers, also the
--          enforcement (see joint) and the number of the identifier, from 1. Kinds: 0 one identifier; 1 the same, reserves; 2
--          several identifiers, where a cost of 0 asks for one unit; 3 several, where it asks for nothing; 4 as 3, reserves. With
--          several identifiers, each window has the index of its identifier before its key, and with a reservation that of its
--          identifier behind it
-- ARGV[..] per request that reserves: the reservation's name in the index
-- Returns  the time; then per request its status: 1 if admitted, 0 if denied, plus 2 for each microsecond by which its time of
--          decision is later than that time; for a group of several, the number admitted; and per window, as it is after the
--          last request: units used, when the next unit expires (0: none used), when the denied cost would fit (0: none
--          denied; -1: never). For slots: those that are held, the number of the last one that was granted to this instance, and
--          when to try again. For a request of several identifiers these are one string of 64-bit numbers, most significant
--          byte first; of one that is admitted at that time, most often, a string of numbers of seven bytes without the status
--          and without the third number of each window, which is 0. A negative status has no further elements, and is a number
--          in any case. -1: one of the keys holds a foreign value that Redis did not let the script delete; -2: the time is not
--          in the period of a calendar window. Times are microseconds since 1970.
--          If keys were repaired, two more elements: their number, and the first key. Otherwise, if requests were denied by
--          the bound on windows, the number of such groups, and "bound". The last element is a number in all other cases.
--
-- Old format: an earlier version stored a ring as a list bucket,count,bucket,count,...,"~"total. It is read, and the next
-- decision that takes from it writes it back in the format above.
--
-- Repair: the keys belong to Sluice, so a value of another type, or one that cannot be parsed, is deleted; the window starts
-- empty and is decided exactly. The alternative, a fallback in each instance, admits up to one limit per instance.
--
-- Clock: Redis's TIME, but never earlier than a window's newest entry. If TIME is behind by more than SKEW it was set back: the
-- window is shifted with it, so that no caller is locked out and none gains anything.
--
-- Calendar windows: the name of such a window has the begin of its period, so each period has a window of its own, whose length is
-- that of the period: no unit leaves it before the period ends. The instance names the period that it believes to be the current
-- one; Redis's TIME decides whether it is. Units that are freed, and the denied cost, have room at the end of the period.
--
-- Bound: a request that needs a further window than an identifier may have is denied, as if that window were full, until the
-- next one expires. Discarding another window instead would let a caller who can choose resource names discard a full one.
-- Reservations are in the same index, with scores beyond RESERVATIONS; beyond NAMES the ones that expire first are removed from
-- it: they are settled as the others are, but not reset by name.
--
-- Cost: a decision takes bounded time, whatever its cost and whatever the window holds. Memory grows with the number of
-- requests, by at most HEAVY times of a log per request. A change of the form reads and writes at most about sixty entries: a
-- longer log whose limit becomes too large for a log goes on with an entry per sub-window.
--
-- Performance: creating functions and tables in each call costs as much as several decisions. Each code path is therefore a
-- part that the first request that needs it creates (see part). Numbers are passed to Redis as text: its own conversion takes
-- longer than the command.

local SKEW = 1000000
local NAMES = 10000
local CALENDAR_MARGIN = 60000 -- milliseconds for which a calendar window is kept after its period, in case the clock is set back
local RESERVATIONS = 2 ^ 40 -- added to the expiry of a reservation in the index
local HEAVY = 16 -- larger costs are logged as one entry
local FEW = 64 -- a log of up to this number of elements may be converted
local FLAG, WEIGHTED, WEIGHTED_BYTES, MODULUS = 72, '>I7BI3I3', 14, 2 ^ 24
local TIME, BYTES = '>I7', 7
local RING, HEADER, ENTRY, ENTRY_BYTES = 82, 8, '>I7I7', 14
local PAGE, PAGE_START = 130 * BYTES, '-910' -- longer than any ring; a longer log is read in parts
local SHORT, SHORT_START = 16 * BYTES, '-112' -- for logs with a larger limit: Redis 7 hashes each byte that Lua receives
local SMALL = 64 * BYTES -- a log up to this size may be rewritten each time
local MOST_UNITS = 2 ^ 52 -- of a ring including its base: doubles are not exact beyond 2 ^ 53

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local most_windows = tonumber(ARGV[4])
local instance = ARGV[5]
local reply = { clock }
local repaired, first_repaired = 0, nil
local bounded = 0 -- requests denied by the bound on windows
local codes, sizes = ARGV[1], ARGV[2]
local plans = {}

local build, built = {}, {}

-- Returns a part, which is created when it is first needed.
local function part(name)
  local made = built[name]
  if not made then
    made = build[name]()
    built[name] = made
  end
  return made
end

-- Appends a decision on one window to the reply; returns where the reply ends.
-- times: number of requests in the group; admitted: number of them that were admitted
local function append_result(at, times, admitted, used, free, retry)
  reply[at + 1] = admitted > 0 and 1 or 0
  if times > 1 then
    at = at + 1
    reply[at + 1] = admitted
  end
  reply[at + 2], reply[at + 3], reply[at + 4] = used, free, retry
  return at + 4
end

-- Returns the numbers of a request of several identifiers as one element of the reply.
local function packed(plan, states)
  plan.format = plan.format or '>' .. string.rep('i8', #states)
  return struct.pack(plan.format, unpack(states))
end

-- Returns how many requests of a group fit.
local function fitting(times, limit, used, cost)
  local fit = math.floor((limit - used) / cost)
  return fit < times and fit or times
end

-- Operations on index, reservation and foreign keys.
function build.keys()
  local call, pcall = redis.call, redis.pcall
  local format, floor, type = string.format, math.floor, type

  -- Deletes a foreign value; returns false if Redis does not permit that.
  local function repair(key)
    local done = pcall('UNLINK', key)
    if type(done) == 'table' then
      done = pcall('DEL', key)
      if type(done) == 'table' then
        return false
      end
    end
    repaired = repaired + 1
    first_repaired = first_repaired or key
    return true
  end

  -- Raises any error except that of a key of another type.
  local function only_foreign(failed)
    if not string.find(failed.err, 'WRONGTYPE', 1, true) then
      error(failed.err, 0)
    end
  end

  -- Calls a command that writes to a key; deletes a foreign value first.
  local function write(command, key, ...)
    local done = pcall(command, key, ...)
    if type(done) == 'table' and done.err then
      only_foreign(done)
      if not repair(key) then
        error(done.err, 0)
      end
      return call(command, key, ...)
    end
    return done
  end

  -- Returns the expiry in milliseconds. It is set once per window length (see note), so it must cover a window that starts at
  -- the end of that length. A calendar window ends with its period.
  local function lifetime(span, name)
    local begins = name and string.match(name, '^%d+@(%-?%d+):')
    if begins then
      return math.max(0, math.ceil((begins * 1000000 + span - clock) / 1000)) + CALENDAR_MARGIN
    end
    return floor(2 * span / 1000) + 1000
  end

  local deferred, longest -- scores and names of a request with several windows, and the longest lifetime

  -- Lists names in the index for the lifetime of their keys.
  local function list(index, ms, ...)
    write('ZADD', index, ...)
    call('ZREMRANGEBYSCORE', index, '-inf', time[1])
    if call('PTTL', index) < ms then
      call('PEXPIRE', index, format('%.0f', ms))
    end
  end

  -- Lists a name in the index for the lifetime of its key: two more window lengths.
  local function note(index, name, ms)
    local expiry = format('%d', time[1] + math.ceil(ms / 1000))
    if deferred then
      deferred[#deferred + 1], deferred[#deferred + 2] = expiry, name
      longest = ms > longest and ms or longest
    else
      list(index, ms, expiry, name)
    end
  end

  -- Lists the names of the following notes together, at the next call of list_deferred.
  local function defer()
    deferred, longest = {}, 0
  end

  local function list_deferred(index)
    local names = deferred
    deferred = nil
    if #names > 0 then
      list(index, longest, unpack(names))
    end
  end

  -- Returns nil if the identifier may have this many more windows, otherwise the time at which it may.
  local function full_until(index, more)
    local windows = pcall('ZCOUNT', index, '(' .. time[1], format('%.0f', RESERVATIONS))
    if type(windows) == 'table' or windows + more <= most_windows then
      return nil
    end
    bounded = bounded + 1
    local leaving = windows + more - most_windows
    if leaving > windows then
      return -1
    end
    local expiry = call('ZRANGEBYSCORE', index, '(' .. time[1], format('%.0f', RESERVATIONS), 'WITHSCORES', 'LIMIT',
      format('%d', leaving - 1), '1')
    return tonumber(expiry[2]) * 1000000
  end

  -- Lists a reservation in the index.
  local function note_reservation(index, name, ms)
    write('ZADD', index, format('%.0f', RESERVATIONS + time[1] + math.ceil(ms / 1000)), name)
    local reservations = pcall('ZCOUNT', index, format('%.0f', RESERVATIONS), '+inf')
    if type(reservations) == 'number' and reservations > NAMES then
      local windows = call('ZCARD', index) - reservations
      call('ZREMRANGEBYRANK', index, format('%d', windows), format('%d', windows + reservations - NAMES - 1))
    end
  end

  -- Writes a window that is not yet listed in this window length.
  local function begin(key, value, span, index, name)
    local ms = lifetime(span, name)
    note(index, name, ms)
    call('SET', key, value, 'PX', format('%.0f', ms))
  end

  -- Records what a reservation took from a window.
  local function remember(record, name, now, cost, span, index, reservation)
    write('HSET', record, name, format('%.0f:%.0f', floor(now / floor(span / 60)), cost))
    local ms = lifetime(span)
    if call('PTTL', record) < ms then
      call('PEXPIRE', record, format('%.0f', ms))
      note_reservation(index, reservation, ms)
    end
  end

  return { repair = repair, only_foreign = only_foreign, lifetime = lifetime, note = note, full_until = full_until,
    begin = begin, remember = remember, defer = defer, list_deferred = list_deferred }
end

-- Requests with a single log, the most frequent case.
function build.log()
  local call, pcall = redis.call, redis.pcall
  local byte, sub, format, floor = string.byte, string.sub, string.format, math.floor
  local pack, unpack, type, KEYS = struct.pack, struct.unpack, type, KEYS
  local stamp = pack(TIME, clock)

  -- Returns the part of a log that is later than the edge, and its first unit. The last unit must be later than the edge.
  local function later(log, edge)
    local head = unpack(TIME, log, 1)
    if head > edge then
      return log, head
    end
    local outside, inside = 1, 2
    local last = #log / BYTES
    head = unpack(TIME, log, BYTES + 1)
    while head <= edge do -- exponential search, then binary search
      outside = inside
      inside = inside * 2
      if inside > last then
        inside = last
      end
      head = unpack(TIME, log, (inside - 1) * BYTES + 1)
    end
    while inside - outside > 1 do
      local middle = floor((outside + inside) / 2)
      local moment = unpack(TIME, log, (middle - 1) * BYTES + 1)
      if moment <= edge then
        outside = middle
      else
        inside, head = middle, moment
      end
    end
    return sub(log, (inside - 1) * BYTES + 1), head
  end

  -- Adds units to a log. raw is the value in Redis, log its unexpired part. A small log is rewritten without expired units each
  -- time, a larger one when they are a quarter of it: replicas and the append-only file receive what is written. APPEND also
  -- allocates room for more units. The expiry is extended at most once per window length.
  local function write_log(key, raw, log, units, full, span, now, noted, index, name)
    if noted ~= floor(now / span) then
      part('keys').begin(key, log .. units, span, index, name)
    elseif log == raw and not full or #raw > SMALL and 4 * (#raw - #log) < #raw and log ~= raw then
      call('APPEND', key, units)
    else
      call('SET', key, log .. units, 'KEEPTTL')
    end
  end

  local function decide_log(plan, first, at, times)
    local key, claim = KEYS[first + 1], plan[1]
    local span, cost = claim.span, claim.cost
    local raw = pcall('GETRANGE', key, claim.start, '-1')
    local log, used, head, noted = '', 0, nil, nil
    if raw ~= '' then
      if type(raw) ~= 'string' or byte(raw) > 31 or #raw % BYTES > 0 then
        return part('general').decide(plan, first, at, times) -- a ring, or a foreign value
      end
      local last = unpack(TIME, raw, #raw - BYTES + 1)
      if last > clock then
        return part('general').decide(plan, first, at, times) -- weighted, or written when the clock was ahead
      end
      if #raw == claim.page then
        if times == 1 and last > clock - span then
          return part('long').decide(plan, first, at, last)
        end
        return part('general').decide(plan, first, at, times) -- a group, or expired, or the end of a ring
      elseif last > clock - span then
        log, head = later(raw, clock - span)
        used = #log / BYTES
        noted = floor(last / span)
      end
    end
    local limit = claim.limit
    local over = used + cost - limit
    if over > 0 then
      return append_result(at, times, 0, used, head + span, unpack(TIME, log, (over - 1) * BYTES + 1) + span)
    end
    if raw == '' then
      local full = part('keys').full_until(KEYS[first], 1)
      if full then
        return append_result(at, times, 0, limit, full, full)
      end
    end
    if not plan.take then
      return append_result(at, times, times, used, head and head + span or 0, 0)
    end
    local fit, retry, units = times, 0, cost
    if times > 1 then
      fit = fitting(times, limit, used, cost)
      units = fit * cost
      if fit < times then
        over = used + units + cost - limit
        retry = (over <= used and unpack(TIME, log, (over - 1) * BYTES + 1) or clock) + span
      end
    end
    used = used + units
    write_log(key, raw, log, units == 1 and stamp or string.rep(stamp, units), used == limit, span, clock, noted, KEYS[first],
      claim.name)
    return append_result(at, times, fit, used, (head or clock) + span, retry)
  end

  return { decide = decide_log, later = later, write = write_log, stamp = stamp }
end

-- Requests with a single ring.
function build.ring()
  local call, pcall = redis.call, redis.pcall
  local byte, sub, format, floor = string.byte, string.sub, string.format, math.floor
  local pack, unpack, type, KEYS = struct.pack, struct.unpack, type, KEYS

  -- Finds the first bucket of a ring that has not expired; returns nil if all have. Returns its position in the string, the
  -- units before it, and its number.
  local function ring_head(ring, edge)
    local start = HEADER + 1
    local sum, bucket = unpack(ENTRY, ring, start)
    if bucket > edge then
      return start, (unpack(TIME, ring, 2)), bucket
    end
    local outside, inside = 0, (#ring - HEADER) / ENTRY_BYTES
    local base = sum
    local head
    local probe = 1 -- most often only the first one has expired
    while inside - outside > 1 do
      sum, bucket = unpack(ENTRY, ring, start + probe * ENTRY_BYTES)
      if bucket > edge then
        inside, head = probe, bucket
      else
        outside, base = probe, sum
      end
      probe = floor((outside + inside) / 2)
    end
    if head then
      return start + inside * ENTRY_BYTES, base, head
    end
  end

  -- Returns the last microsecond of the bucket with which the ring's sum reaches the needed units.
  local function leaves(ring, start, needed, width)
    local upto, number = unpack(ENTRY, ring, start)
    while upto < needed do
      start = start + ENTRY_BYTES
      upto, number = unpack(ENTRY, ring, start)
    end
    return (number + 1) * width - 1
  end

  -- Adds units to a ring that has some, in the current bucket. The expiry is extended at most once per window length.
  local function write_ring(key, ring, start, base, sum, bucket, units, span, index, name)
    local width = floor(span / 60)
    local number = floor(clock / width)
    local noted = floor(bucket * width / span) == floor(clock / span)
    if number == bucket and noted then
      call('SETRANGE', key, format('%d', #ring - ENTRY_BYTES), pack(TIME, sum + units))
      return
    end
    if number == bucket then
      ring = sub(ring, 1, -ENTRY_BYTES - 1)
    end
    ring = pack('>BI7', RING, base) .. sub(ring, start) .. pack(ENTRY, sum + units, number)
    if noted then
      call('SET', key, ring, 'KEEPTTL')
    else
      part('keys').begin(key, ring, span, index, name)
    end
  end

  local function decide_ring(plan, first, at, times)
    local key, claim = KEYS[first + 1], plan[1]
    local span, cost, limit = claim.span, claim.cost, claim.limit
    local width = floor(span / 60)
    local ring = pcall('GETRANGE', key, PAGE_START, '-1')
    local used, sum, bucket, start, base, head = 0, 0, nil, nil, nil, nil
    if ring ~= '' then
      if type(ring) ~= 'string' or byte(ring) ~= RING or #ring % ENTRY_BYTES ~= HEADER or #ring == HEADER then
        return part('general').decide(plan, first, at, times)
      end
      sum, bucket = unpack(ENTRY, ring, #ring - ENTRY_BYTES + 1)
      if bucket * width > clock or sum + times * cost > MOST_UNITS then
        return part('general').decide(plan, first, at, times)
      end
      -- A bucket has expired when (bucket + 1) * width - 1 + span <= clock
      start, base, head = ring_head(ring, floor((clock + 1 - span) / width) - 1)
      used = head and sum - base or 0
      if used < 0 then
        return part('general').decide(plan, first, at, times)
      end
    end
    if used + cost > limit then
      return append_result(at, times, 0, used, (head + 1) * width - 1 + span,
        leaves(ring, start, base + used + cost - limit, width) + span)
    end
    if ring == '' then
      local full = part('keys').full_until(KEYS[first], 1)
      if full then
        return append_result(at, times, 0, limit, full, full)
      end
    end
    if not plan.take then
      return append_result(at, times, times, used, used > 0 and (head + 1) * width - 1 + span or 0, 0)
    end
    local number = floor(clock / width)
    local fit, retry = times, 0
    if times > 1 then
      fit = fitting(times, limit, used, cost)
      if fit < times then
        local over = used + (fit + 1) * cost - limit
        retry = (over <= used and leaves(ring, start, base + over, width) or (number + 1) * width - 1) + span
      end
      cost = fit * cost
    end
    if used == 0 then
      part('keys').begin(key, pack('>BI7I7I7', RING, 0, cost, number), span, KEYS[first], claim.name)
      head = number
    else
      write_ring(key, ring, start, base, sum, bucket, cost, span, KEYS[first], claim.name)
    end
    return append_result(at, times, fit, used + cost, (head + 1) * width - 1 + span, retry)
  end

  return { decide = decide_ring, head = ring_head, write = write_ring }
end

-- Logs that are longer than a page; only parts of them are read.
function build.long()
  local call = redis.call
  local format, floor = string.format, math.floor
  local unpack, KEYS = struct.unpack, KEYS
  local stamp = part('log').stamp
  local NEAR, HALF_PAGE = 4, 16

  -- Returns the first unit of a page that is later than the edge. The last unit must be later than the edge.
  local function first_later(page, edge)
    local outside, inside = 0, #page / BYTES
    while inside - outside > 1 do
      local middle = floor((outside + inside) / 2)
      if unpack(TIME, page, (middle - 1) * BYTES + 1) <= edge then
        outside = middle
      else
        inside = middle
      end
    end
    return inside, (unpack(TIME, page, (inside - 1) * BYTES + 1))
  end

  -- Returns the number of units that are not later than the edge, and the first one that is. The last unit must be later than
  -- the edge. Interpolation search, because request rates change slowly; every second step is a bisection instead.
  local function seek(key, total, edge, newest)
    local low, high = 0, total -- the last unit known to have expired, the first one known not to have
    local oldest
    local guess, by_time = 1, true
    while true do
      local from = guess - HALF_PAGE
      if from <= low then
        from = low + 1
      end
      local to = from + 2 * HALF_PAGE - 1
      if to > high then
        to = high
      end
      local page = call('GETRANGE', key, format('%d', (from - 1) * BYTES), format('%d', to * BYTES - 1))
      local head = unpack(TIME, page, 1)
      local tail = unpack(TIME, page, #page - BYTES + 1)
      if head > edge then
        if from == low + 1 then
          return low, head
        end
        high, newest = from, head
      elseif tail > edge then
        local i
        i, head = first_later(page, edge)
        return from + i - 2, head
      else
        low, oldest = to, tail
      end
      if by_time and oldest and newest > oldest then
        guess = low + floor((high - low) * (edge - oldest) / (newest - oldest)) + 1
      else
        guess = floor((low + high) / 2)
      end
      by_time = not by_time
    end
  end

  -- Returns the time of a unit, counted from the newest, which is 1.
  local function from_end(key, number)
    return (unpack(TIME, call('GETRANGE', key, format('%d', -BYTES * number), format('%d', -BYTES * (number - 1) - 1)), 1))
  end

  -- See write_log. APPEND returns the length.
  local function append(key, used, cost, limit, units, span, now, noted, index, name)
    local total = call('APPEND', key, units) / BYTES
    local outside = total - used - cost
    if outside == 0 and used + cost == limit or outside > 0 and (4 * outside >= total - cost or BYTES * total <= SMALL) then
      call('SET', key, call('GETRANGE', key, format('%d', -BYTES * (used + cost)), '-1'), 'KEEPTTL')
    end
    if noted ~= floor(now / span) then
      local ms = part('keys').lifetime(span, name)
      part('keys').note(index, name, ms)
      call('PEXPIRE', key, format('%.0f', ms))
    end
  end

  -- A log is full for one unit if its limit-th unit from the end has not expired. The time of that unit determines the retry
  -- time of a denial, so nothing else is read.
  local function decide_long(plan, first, at, last)
    local key, claim = KEYS[first + 1], plan[1]
    local span, limit, cost = claim.span, claim.limit, claim.cost
    local edge = clock - span
    local used, head
    if cost == 1 and limit > NEAR then
      if not claim.from then
        claim.from = format('%d', -BYTES * (limit + 1))
        claim.to = format('%d', -BYTES * (limit + 1 - NEAR) - 1)
      end
      local near = call('GETRANGE', key, claim.from, claim.to)
      local units = #near / BYTES -- NEAR: the log has a unit before the limit-th; NEAR - 1: the limit-th is its first unit
      if units >= NEAR - 1 then
        local limiting = units - NEAR + 2
        head = unpack(TIME, near, (limiting - 1) * BYTES + 1)
        if head > edge then
          if limiting == 1 or unpack(TIME, near, 1) <= edge then
            return append_result(at, 1, 0, limit, head + span, head + span)
          end -- otherwise it holds more than the limit
        elseif unpack(TIME, near, #near - BYTES + 1) > edge then
          local i
          i, head = first_later(near, edge)
          used = limit + limiting - i
        end
      end
    end
    if not used then
      local total = call('STRLEN', key) / BYTES
      if total ~= floor(total) then
        return part('general').decide(plan, first, at, 1)
      end
      local outside
      outside, head = seek(key, total, edge, last)
      used = total - outside
      if used + cost > limit then
        return append_result(at, 1, 0, used, head + span, from_end(key, limit - cost + 1) + span)
      end
    end
    if not plan.take then
      return append_result(at, 1, 1, used, head + span, 0)
    end
    append(key, used, cost, limit, cost == 1 and stamp or string.rep(stamp, cost), span, clock, floor(last / span), KEYS[first],
      claim.name)
    return append_result(at, 1, 1, used + cost, head + span, 0)
  end

  -- Returns nil if the value is not a log.
  local function open(w, last)
    local total = call('STRLEN', w.key) / BYTES
    if total ~= floor(total) then
      return nil
    end
    local outside, head = seek(w.key, total, w.now - w.span, last)
    w.long, w.used, w.free, w.noted = true, total - outside, head + w.span, floor(last / w.span)
    return w
  end

  return { decide = decide_long, open = open, append = append, from_end = from_end, seek = seek }
end

-- Windows of requests with several windows, and single ones in unusual states. A window is a table: key, span, begins (of the
-- period of a calendar window), now (clock, or its newest entry if that is later), used, free, noted; for a log: raw and log (see
-- write_log), or long, or weighted (see there); for a ring: ring, start, base, sum, bucket.
function build.rings()
  local call, sub, format, floor = redis.call, string.sub, string.format, math.floor
  local pack, unpack = struct.pack, struct.unpack
  local ring_head = part('ring').head

  local function open_ring(w, ring)
    local sum, bucket = unpack(ENTRY, ring, #ring - ENTRY_BYTES + 1)
    if sum < unpack(TIME, ring, 2) or sum > 2 * MOST_UNITS then
      return nil
    end
    local span, width = w.span, floor(w.span / 60)
    local begins = bucket * width
    if begins - clock > SKEW then
      ring = part('rare').rewrite(ring, HEADER + 1, (unpack(TIME, ring, 2)), bucket - floor(clock / width),
        w.begins and floor(w.begins / width))
      call('SET', w.key, ring, 'PX', format('%.0f', part('keys').lifetime(span)))
      sum, bucket = unpack(ENTRY, ring, #ring - ENTRY_BYTES + 1)
    elseif begins > clock then
      w.now = begins
    end
    local start, base, head = ring_head(ring, floor((w.now + 1 - span) / width) - 1)
    if head and sum > base then -- otherwise all units have expired or were settled to zero
      w.ring, w.start, w.base, w.sum, w.bucket = ring, start, base, sum, bucket
      w.used = sum - base
      w.free = (head + 1) * width - 1 + span
      w.noted = floor(bucket * width / span)
    end
    return w
  end

  local function free_at(w, units)
    for i = w.start, #w.ring, ENTRY_BYTES do
      local sum, bucket = unpack(ENTRY, w.ring, i)
      if sum - w.base >= units then
        return (bucket + 1) * floor(w.span / 60) - 1 + w.span
      end
    end
  end

  -- A long log stays one, with an entry per sub-window, until most of its units have expired.
  local function add(w, cost, index, name, reserves)
    if w.log or w.long or w.weighted then
      if not reserves and part('forms').stays_log(w, cost) then
        part('weighted').add(w, cost, index, name, true)
        w.free = w.free or w.now + w.span
        return
      end
      part('forms').to_ring(w)
    end
    local span, width = w.span, floor(w.span / 60)
    local number = floor(w.now / width)
    local noted = w.noted == floor(w.now / span)
    local ring
    if not w.ring then
      ring = pack('>BI7I7I7', RING, 0, cost, number)
      w.free = (number + 1) * width - 1 + span
      noted = false
    elseif number == w.bucket and noted and not w.old and w.sum + cost <= MOST_UNITS then
      call('SETRANGE', w.key, format('%d', #w.ring - ENTRY_BYTES), pack(TIME, w.sum + cost))
      return
    else
      ring = number == w.bucket and sub(w.ring, w.start, -ENTRY_BYTES - 1) or sub(w.ring, w.start)
      ring = pack('>BI7', RING, w.base) .. ring .. pack(ENTRY, w.sum + cost, number)
      if w.sum + cost > MOST_UNITS then
        ring = part('rare').rewrite(ring, HEADER + 1, w.base, 0)
      end
    end
    if noted then
      call('SET', w.key, ring, 'KEEPTTL')
    else
      part('keys').begin(w.key, ring, span, index, name)
    end
  end

  return { open = open_ring, free_at = free_at, add = add }
end

-- Windows that change their form, that were written before the clock was set back, or that are foreign.
function build.rare()
  local call, pcall = redis.call, redis.pcall
  local byte, format, floor = string.byte, string.format, math.floor
  local pack, unpack, tonumber, type = struct.pack, struct.unpack, tonumber, type
  local keys, later = part('keys'), part('log').later
  local concat, max = table.concat, math.max

  local function unit(log, number)
    return (unpack(TIME, log, (number - 1) * BYTES + 1))
  end

  -- begins: no unit of a calendar window is moved to a time before its period, where it would not count any more.
  local function shift_log(log, by, begins)
    local units = {}
    for i = 1, #log / BYTES do
      units[i] = pack(TIME, max(unit(log, i) - by, begins or 0))
    end
    return concat(units)
  end

  -- Returns a ring with another base and shifted buckets, none of them before the least one, if that is given.
  local function rewrite(ring, start, base, by, least)
    local entries, last = { pack('>BI7', RING, 0) }, nil
    for i = start, #ring, ENTRY_BYTES do
      local sum, bucket = unpack(ENTRY, ring, i)
      bucket = max(bucket - by, least or 0)
      entries[bucket == last and #entries or #entries + 1] = pack(ENTRY, sum - base, bucket)
      last = bucket
    end
    return concat(entries)
  end

  -- Converts a ring in the old format; returns nil if the list is not one.
  local function from_list(list)
    local last = #list
    if last < 3 or last % 2 == 0 or byte(list[last]) ~= 126 then
      return nil
    end
    local entries, sum, before = { pack('>BI7', RING, 0) }, 0, -1
    for i = 1, last - 2, 2 do
      local bucket, count = tonumber(list[i]), tonumber(list[i + 1])
      if not bucket or not count or bucket <= before or count < 0 then
        return nil
      end
      sum, before = sum + count, bucket
      entries[#entries + 1] = pack(ENTRY, sum, bucket)
    end
    return concat(entries)
  end

  local function open_log(w, raw)
    local last = unit(raw, #raw / BYTES)
    local total = call('STRLEN', w.key) / BYTES
    if total ~= floor(total) then
      return nil
    end
    local long = total > #raw / BYTES
    if last - clock > SKEW then
      raw = shift_log(long and call('GET', w.key) or raw, last - clock, w.begins)
      call('SET', w.key, raw, 'PX', format('%.0f', keys.lifetime(w.span)))
      last = clock
    elseif last > clock then
      w.now = last
    end
    local edge = w.now - w.span
    if last <= edge then
      return w
    end
    if long then
      return part('long').open(w, last)
    end
    local log, head = later(raw, edge)
    w.raw, w.log, w.used, w.free, w.noted = raw, log, #log / BYTES, head + w.span, floor(last / w.span)
    return w
  end

  -- Opens a window of any form; returns nil if it holds a foreign value that cannot be deleted.
  local function open(w, raw)
    local opened
    if type(raw) == 'table' then
      keys.only_foreign(raw)
      local list = pcall('LRANGE', w.key, '0', '400')
      local ring = not list.err and from_list(list)
      if ring then
        w.old = true
        opened = part('rings').open(w, ring)
      end
    elseif #raw % BYTES == 0 and byte(raw, #raw - BYTES + 1) == FLAG then
      opened = part('weighted').open(w, raw)
    elseif byte(raw) < 32 and #raw % BYTES == 0 then
      opened = open_log(w, raw)
    end
    return opened or keys.repair(w.key) and w or nil
  end

  return { open = open, rewrite = rewrite }
end

-- Logs with a cost above HEAVY. Fields of a window: text (the value, if it is short), slots (its length in times), plain (times
-- before the first entry), entries, sum (of the last entry); light (unexpired units of the plain times), first (first unexpired
-- entry), base (sum of the entry before it). The entry before the first unexpired one is therefore kept. If no entry precedes the
-- first unexpired one, its sum counts from zero.
function build.weighted()
  local call, floor, format = redis.call, math.floor, string.format
  local byte, rep, pack, unpack = string.byte, string.rep, struct.pack, struct.unpack

  -- Returns the time of a slot, from 1.
  local function at(w, slot)
    if w.text then
      return (unpack(TIME, w.text, (slot - 1) * BYTES + 1))
    end
    return (unpack(TIME, call('GETRANGE', w.key, format('%d', (slot - 1) * BYTES), format('%d', slot * BYTES - 1)), 1))
  end

  -- Returns the time and the sum of an entry, from 1.
  local function entry(w, number)
    local from = (w.plain + 2 * number - 2) * BYTES
    local moment, _, sum
    if w.text then
      moment, _, _, sum = unpack(WEIGHTED, w.text, from + 1)
    else
      moment, _, _, sum = unpack(WEIGHTED, call('GETRANGE', w.key, format('%d', from), format('%d', from + WEIGHTED_BYTES - 1)), 1)
    end
    return moment, sum
  end

  -- Returns the units up to an entry that has not expired.
  local function units(w, number)
    local _, sum = entry(w, number)
    return w.light + (sum - w.base) % MODULUS
  end

  local function time_of(moment)
    return moment
  end

  -- Returns the first entry above low whose value is above the edge, and its time and sum. Entry high is one, with the value
  -- most; the value of entry low is least. value(time, sum) never decreases. Reads pages of entries, which it finds by
  -- interpolation and, every second time, by bisection.
  local function seek(w, low, high, least, most, edge, value)
    local PAGE_ENTRIES = 16
    local found_time, found_sum
    local by_value = true
    while high - low > 1 or not found_time do
      local guess = floor((low + high) / 2)
      if by_value and most > least then
        guess = low + floor((high - low) * (edge - least) / (most - least)) + 1
      end
      by_value = not by_value
      local from = guess - PAGE_ENTRIES / 2
      if from <= low then
        from = low + 1
      end
      local to = from + PAGE_ENTRIES - 1
      if to > high then
        to = high
        from = to - PAGE_ENTRIES + 1 > low and to - PAGE_ENTRIES + 1 or low + 1
      end
      local first = (w.plain + 2 * from - 2) * BYTES
      local page, start = w.text, first
      if not page then
        page, start = call('GETRANGE', w.key, format('%d', first), format('%d', (w.plain + 2 * to) * BYTES - 1)), 0
      end
      -- the first entry of the page that is above the edge
      local outside, inside = from - 1, to + 1
      while inside - outside > 1 do
        local middle = floor((outside + inside) / 2)
        local moment, _, _, sum = unpack(WEIGHTED, page, start + (middle - from) * WEIGHTED_BYTES + 1)
        local found = value(moment, sum)
        if found > edge then
          inside, most, found_time, found_sum = middle, found, moment, sum
        else
          outside, least = middle, found
        end
      end
      if inside <= to then
        high = inside
      end
      if outside >= from then
        low = outside
      end
    end
    return high, found_time, found_sum
  end

  -- Moves all times back, after the clock was set back.
  local function shift(w, by)
    local text, slots = call('GET', w.key), {}
    for slot = 1, w.slots do
      local moment = unpack(TIME, text, (slot - 1) * BYTES + 1)
      local flagged = byte(text, (slot - 1) * BYTES + 1) == FLAG
      slots[slot] = flagged and string.sub(text, (slot - 1) * BYTES + 1, slot * BYTES)
        or pack(TIME, math.max(moment - by, w.begins or 0))
    end
    text = table.concat(slots)
    call('SET', w.key, text, 'PX', format('%.0f', part('keys').lifetime(w.span)))
    w.text = text
  end

  -- Returns nil if the value is foreign. raw: the end of the value, or all of it if it is shorter than a page.
  local function open(w, raw)
    local whole = #raw < PAGE
    local slots = (whole and #raw or call('STRLEN', w.key)) / BYTES
    if slots < 2 then
      return nil
    end
    local last, _, plain, sum = unpack(WEIGHTED, raw, #raw - WEIGHTED_BYTES + 1)
    local entries = (slots - plain) / 2
    if entries < 1 or entries ~= floor(entries) or last >= FLAG * 2 ^ 48 then
      return nil
    end
    w.text, w.slots, w.plain, w.entries, w.sum = whole and raw or nil, slots, plain, entries, sum
    if last - clock > SKEW then
      shift(w, last - clock)
      last = clock
    elseif last > clock then
      w.now = last
    end
    local edge = w.now - w.span
    if last <= edge then
      return w
    end
    w.weighted, w.last, w.noted, w.light, w.base, w.first = true, last, floor(last / w.span), 0, 0, 1
    local head = entry(w, 1)
    if head <= edge then
      w.first, head = seek(w, 1, entries, head, last, edge, time_of)
      local _, before = entry(w, w.first - 1)
      w.base = before
    elseif plain > 0 then
      local newest = at(w, plain)
      if newest > edge then
        if w.text then
          local later
          later, head = part('log').later(string.sub(w.text, 1, plain * BYTES), edge)
          w.light = #later / BYTES
        else
          local outside
          outside, head = part('long').seek(w.key, plain, edge, newest)
          w.light = plain - outside
        end
      end
    end
    w.used = w.light + (sum - w.base) % MODULUS
    w.free = head + w.span
    return w
  end

  -- Returns when this many of the used units have expired.
  local function free_at(w, needed)
    if needed <= w.light then
      return at(w, w.plain - w.light + needed) + w.span
    end
    needed = needed - w.light
    local high = w.first + needed - 1 -- each entry has at least one unit
    local most
    if high < w.entries then
      most = units(w, high) - w.light
    else
      high, most = w.entries, (w.sum - w.base) % MODULUS
    end
    local _, moment = seek(w, w.first - 1, high, 0, most, needed - 1, function(_, sum)
      return (sum - w.base) % MODULUS
    end)
    return moment + w.span
  end

  -- Adds an entry to a log of either kind, or to a window without units. Expired times are removed as in write_log.
  -- coarse: units are added to the last entry if it is of the same sub-window; the entry then has the later time.
  local function add(w, cost, index, name, coarse)
    local slots, kept, plain, plain_kept, sum = 0, 0, 0, 0, cost
    if w.weighted then
      slots, plain, sum = w.slots, w.plain, (w.sum + cost) % MODULUS
      if w.light > 0 then
        kept, plain_kept = w.light + 2 * w.entries, w.light
      else
        kept = 2 * (w.entries - w.first + (w.first > 1 and 2 or 1))
      end
    elseif w.used > 0 then
      slots = w.raw and #w.raw / BYTES or call('STRLEN', w.key) / BYTES
      kept, plain, plain_kept = w.used, slots, w.used
    end
    local noted = w.noted == floor(w.now / w.span)
    local width = floor(w.span / 60)
    if coarse and noted and w.weighted and floor(w.last / width) == floor(w.now / width) then
      call('SETRANGE', w.key, format('%d', BYTES * slots - WEIGHTED_BYTES), pack(WEIGHTED, w.now, FLAG, plain, sum))
      return
    end
    local expired = slots - kept
    if w.converted or kept == 0 or expired > 0 and (4 * expired >= slots or slots * BYTES <= SMALL) then
      local value = ''
      if w.converted then
        value = w.text
      elseif kept > 0 then
        value = call('GETRANGE', w.key, format('%d', -BYTES * kept), '-1')
      end
      value = value .. pack(WEIGHTED, w.now, FLAG, plain_kept, sum)
      if noted then
        call('SET', w.key, value, 'KEEPTTL')
      else
        part('keys').begin(w.key, value, w.span, index, name)
      end
    else
      call('APPEND', w.key, pack(WEIGHTED, w.now, FLAG, plain, sum))
      if not noted then
        local ms = part('keys').lifetime(w.span, name)
        part('keys').note(index, name, ms)
        call('PEXPIRE', w.key, format('%.0f', ms))
      end
    end
  end

  return { open = open, free_at = free_at, add = add, at = at, entry = entry, units = units }
end

-- Changes of a window's form.
function build.forms()
  local call, floor, format = redis.call, math.floor, string.format
  local sub, concat, min = string.sub, table.concat, math.min
  local pack, unpack = struct.pack, struct.unpack

  -- Appends a bucket for each run of elements whose times are in one bucket. time(i) returns the time of an element, and
  -- units(i) the units up to it. Exponential search, then binary search.
  local function append_buckets(entries, from, to, width, time, units)
    local i = from
    while i <= to do
      local bucket = floor(time(i) / width)
      local ends = (bucket + 1) * width
      local inside, outside, step = i, to + 1, 1
      while inside + step < outside do
        if time(inside + step) < ends then
          inside, step = inside + step, 2 * step
        else
          outside = inside + step
        end
      end
      while outside - inside > 1 do
        local middle = floor((inside + outside) / 2)
        if time(middle) < ends then
          inside = middle
        else
          outside = middle
        end
      end
      local last = entries[#entries]
      if last and last.bucket == bucket then
        last.sum = units(inside)
      else
        entries[#entries + 1] = { sum = units(inside), bucket = bucket }
      end
      i = inside + 1
    end
  end

  -- Converts a log into a ring: each unit counts as its bucket does.
  local function to_ring(w)
    local width, buckets = floor(w.span / 60), {}
    if w.weighted then
      local weighted = part('weighted')
      w.text = w.text or call('GET', w.key)
      local expired = w.plain - w.light
      append_buckets(buckets, 1, w.light, width, function(i)
        return weighted.at(w, expired + i)
      end, function(i)
        return i
      end)
      append_buckets(buckets, w.first, w.entries, width, function(i)
        return (weighted.entry(w, i))
      end, function(i)
        return weighted.units(w, i)
      end)
    else
      local log = w.log or call('GETRANGE', w.key, format('%d', -BYTES * w.used), '-1')
      append_buckets(buckets, 1, w.used, width, function(i)
        return (unpack(TIME, log, (i - 1) * BYTES + 1))
      end, function(i)
        return i
      end)
    end
    local ring = { pack('>BI7', RING, 0) }
    for i, bucket in ipairs(buckets) do
      ring[i + 1] = pack(ENTRY, bucket.sum, bucket.bucket)
    end
    w.free = (buckets[1].bucket + 1) * width - 1 + w.span
    w.ring, w.start, w.base, w.sum, w.bucket = concat(ring), HEADER + 1, 0, w.used, buckets[#buckets].bucket
    w.old, w.log, w.long, w.weighted, w.noted = true, nil, nil, nil, nil
  end

  -- Converts a ring into a weighted log: each unit counts until the end of its bucket has left the window, as before.
  local function to_log(w)
    local entries, width = {}, floor(w.span / 60)
    local first
    for i = w.start, #w.ring, ENTRY_BYTES do
      local sum, bucket = unpack(ENTRY, w.ring, i)
      local moment = min((bucket + 1) * width - 1, w.now)
      first = first or moment
      entries[#entries + 1] = pack(WEIGHTED, moment, FLAG, 0, sum - w.base)
    end
    w.converted, w.weighted, w.text, w.noted, w.free = true, true, concat(entries), nil, first + w.span
    w.slots, w.plain, w.entries, w.sum = 2 * #entries, 0, #entries, w.used
    w.light, w.first, w.base, w.ring = 0, 1, 0, nil
  end

  -- Returns whether a log stays one although its limit is too large for a log: if it has many units, and if it is weighted,
  -- because a ring becomes a weighted log when its limit falls, and would otherwise be converted each time. Not with more units
  -- than its cumulative numbers can tell apart, with room for usage that is merged: then the limit cannot fall to that of a log.
  local function stays_log(w, cost)
    return (w.weighted or w.used > FEW) and w.used + cost < MODULUS / 2
  end

  return { to_ring = to_ring, to_log = to_log, stays_log = stays_log }
end

-- Slots of requests in flight: a sorted set of two kinds of members.
--   instance  scored by the negative time of its last heartbeat. The member is its slots, the number before the first slot that was
--             granted, and that of the last one, followed by its name. Counts for VALID after the heartbeat: an instance that is gone
--             holds no slots. The numbers begin with the time at which the entry was created, so that those of an entry that was
--             lost are never used again
--   lease     scored by its end, until which it counts as one slot
-- Only members of instances are read: leases are counted by their scores, however many there are.
function build.slots()
  local call, pcall, type, unpack_all = redis.call, redis.pcall, type, unpack
  local pack, unpack, format, sub = struct.pack, struct.unpack, string.format, string.sub
  local VALID = 3000000
  local RETRY = 1000000 -- nobody knows when a request will end
  local COUNT, COUNT_BYTES = '>I4I7I7', 18
  local LIFETIME = 10000 -- milliseconds
  local MOST_MEMBERS = 1000 -- of one command

  -- Returns nil if the key holds a foreign value that cannot be deleted.
  local function open(key)
    local w = { key = key, concurrent = true, now = clock, used = 0, free = clock, noted = nil, retry = 0, own = 0, start = clock,
      leases = 0, obsolete = nil }
    local members = pcall('ZRANGEBYSCORE', key, '-inf', '0', 'WITHSCORES')
    if members.err then
      local keys = part('keys')
      keys.only_foreign(members)
      if not keys.repair(key) then
        return nil
      end
      return w
    end
    for i = 1, #members, 2 do
      local member, beat, current = members[i], -members[i + 1], false
      local own = sub(member, COUNT_BYTES + 1) == instance
      if #member > COUNT_BYTES and beat > clock - VALID and beat <= clock + VALID then
        local units, start, granted = unpack(COUNT, member)
        current = true
        w.used = w.used + units
        if own then
          w.own, w.start, w.free = units, start, granted
        end
      end
      if own or not current then
        w.obsolete = w.obsolete or {}
        w.obsolete[#w.obsolete + 1] = member
      end
    end
    w.leases = call('ZCOUNT', key, format('(%.0f', clock), '+inf')
    w.used = w.used + w.leases
    return w
  end

  local function add(w, cost)
    for from = 1, w.obsolete and #w.obsolete or 0, MOST_MEMBERS do
      call('ZREM', w.key, unpack_all(w.obsolete, from, math.min(from + MOST_MEMBERS - 1, #w.obsolete)))
    end
    w.own, w.free = w.own + cost, w.free + cost
    local member = pack(COUNT, w.own, w.start, w.free) .. instance
    w.obsolete = { member }
    call('ZADD', w.key, format('-%.0f', clock), member)
    local last = w.leases > 0 and call('ZREVRANGE', w.key, '0', '0', 'WITHSCORES')[2] or clock
    call('PEXPIRE', w.key, format('%.0f', math.max(LIFETIME, (last - clock) / 1000 + 1000)))
  end

  return { open = open, add = add, retry = RETRY }
end

-- Requests with any number of windows, in any form.
function build.general()
  local call, pcall = redis.call, redis.pcall
  local byte, format, floor, min, rep = string.byte, string.format, math.floor, math.min, string.rep
  local pack, unpack, type, KEYS = struct.pack, struct.unpack, type, KEYS
  local logs = part('log')

  -- Reads the unexpired part of a window; returns nil if it holds a foreign value that cannot be deleted.
  local function open(key, claim)
    if claim.form == 'slots' then
      return part('slots').open(key)
    end
    local span = claim.span
    local w = { key = key, span = span, begins = claim.begins, now = clock, used = 0, free = nil, noted = nil, retry = 0, raw = nil,
      log = nil }
    local raw = pcall('GETRANGE', key, claim.start, '-1')
    if raw == '' then
      w.missing = true
      return w
    end
    if type(raw) == 'string' then
      if #raw == SHORT and claim.page == SHORT then
        local last = unpack(TIME, raw, #raw - BYTES + 1)
        if byte(raw) < 32 and last <= clock and last > clock - span then
          return part('long').open(w, last) or part('rare').open(w, raw)
        end
        raw = pcall('GETRANGE', key, PAGE_START, '-1')
      end
      if byte(raw) < 32 and #raw < PAGE and #raw % BYTES == 0 then
        local last = unpack(TIME, raw, #raw - BYTES + 1)
        if last <= clock then
          if last > clock - span then
            local log, head = logs.later(raw, clock - span)
            w.raw, w.log, w.used, w.free, w.noted = raw, log, #log / BYTES, head + span, floor(last / span)
          end
          return w
        end
      elseif byte(raw) == RING and #raw % ENTRY_BYTES == HEADER and #raw > HEADER then
        local opened = part('rings').open(w, raw)
        if opened then
          return opened
        end
      end
    end
    return part('rare').open(w, raw)
  end

  -- Returns when this many of the used units have expired.
  local function free_at(w, units)
    if w.ring then
      return part('rings').free_at(w, units)
    elseif w.weighted then
      return part('weighted').free_at(w, units)
    elseif w.long then
      return part('long').from_end(w.key, w.used - units + 1) + w.span
    end
    return unpack(TIME, w.log, (units - 1) * BYTES + 1) + w.span
  end

  -- heavy: the cost of one request is above HEAVY.
  local function add_to_log(w, cost, heavy, limit, index, name)
    if w.ring then
      part('forms').to_log(w)
    end
    if heavy or w.weighted then
      part('weighted').add(w, cost, index, name)
      w.free = w.free or w.now + w.span
      return
    end
    local units = rep(w.now == clock and logs.stamp or pack(TIME, w.now), cost)
    if w.long then
      part('long').append(w.key, w.used, cost, limit, units, w.span, w.now, w.noted, index, name)
    else
      logs.write(w.key, w.raw, w.log or '', units, w.used + cost == limit, w.span, w.now, w.noted, index, name)
    end
    w.free = w.free or w.now + w.span
  end

  -- Returns when this many units have expired, including units that are about to be added and expire last.
  local function free_then(w, units, form)
    if w.concurrent then
      return clock + part('slots').retry
    elseif units <= w.used then
      return free_at(w, units)
    elseif form == 'log' then
      return w.now + w.span
    end
    local width = floor(w.span / 60)
    return (floor(w.now / width) + 1) * width - 1 + w.span
  end

  -- Returns the time at which a request takes from a window: units of a calendar window are in its period, even if another window
  -- of the request has a later entry.
  local function time_in(claim, now)
    return claim.ends and min(now, claim.ends - 1) or now
  end

  -- Units of a calendar window leave it when its period ends.
  local function end_with_period(w, claim)
    if claim.ends then
      w.free = w.free and claim.ends
      w.retry = w.retry > 0 and claim.ends or w.retry
    end
  end

  local function decide_all(plan, first, at, times, reservation)
    local index = KEYS[first]
    local windows = {}
    local fit, missing = times, 0
    local now = clock -- the latest of all windows, because a decision has one time
    for i = 1, #plan do
      local claim = plan[i]
      local w = open(KEYS[first + i], claim)
      if not w then
        reply[at + 1] = -1
        return at + 1
      end
      local limit, cost = claim.limit, claim.cost
      if cost > 0 then
        if w.used + cost > limit then
          fit = 0
        else
          fit = plan.take and fitting(fit, limit, w.used, cost) or fit
          missing = missing + (w.missing and 1 or 0)
        end
      end
      if w.now > now then
        now = w.now
      end
      windows[i] = w
    end
    local full = fit > 0 and missing > 0 and part('keys').full_until(index, missing) or nil
    if full then
      fit = 0
    end
    at = at + 1
    reply[at] = (fit > 0 and 1 or 0) + 2 * (time_in(plan, now) - clock)
    if times > 1 then
      at = at + 1
      reply[at] = fit
    end
    local together = #plan > 1 and fit > 0 and plan.take
    if together then
      part('keys').defer()
    end
    for i = 1, #plan do
      local w, claim = windows[i], plan[i]
      local limit, cost = claim.limit, claim.cost
      w.now = time_in(claim, now)
      local taken = plan.take and fit * cost or 0
      if fit < times then
        if cost > limit then
          w.retry = -1
        elseif cost > 0 and w.used + taken + cost > limit then
          w.retry = free_then(w, w.used + taken + cost - limit, claim.form)
        end
      end
      if taken > 0 then
        if w.concurrent then
          part('slots').add(w, taken)
        elseif claim.form == 'log' then
          add_to_log(w, taken, cost > HEAVY, limit, index, claim.name)
        else
          part('rings').add(w, taken, index, claim.name, claim.form == 'reserved')
          if plan.reserves and claim.form == 'reserved' then
            part('keys').remember(KEYS[first + #plan + 1], claim.name, w.now, taken, w.span, index, reservation)
          end
        end
        w.used = w.used + taken
      end
      end_with_period(w, claim)
      if full and w.missing and cost > 0 then
        w.used, w.free, w.retry = limit, full > 0 and full or 0, full
      end
      reply[at + 1], reply[at + 2], reply[at + 3] = w.used, w.free or 0, w.retry
      at = at + 3
    end
    if together then
      part('keys').list_deferred(index)
    end
    return at
  end

  return { decide = decide_all, open = open, add_to_log = add_to_log, free_then = free_then, time_in = time_in,
    end_with_period = end_with_period }
end

-- Requests for windows of several identifiers. The claims of an identifier have one enforcement:
--   e  enforced: denies the request if one of its windows is exceeded
--   q  quota: the request is denied if a window of each quota is exceeded
--   s  shadow: denies nothing
--   c  charged: its cost is taken in any case; denies the request if nothing is left
-- The request takes the cost of all identifiers, without those of quotas and shadows that are exceeded, or nothing but what is
-- charged. A cost of 0 takes nothing. A window has a time of retry if it is exceeded, also if the request is admitted.
function build.joint()
  local general, keys = part('general'), part('keys')

  -- Returns whether the request is admitted.
  local function outcome(plan, over)
    local quotas, exhausted = 0, 0
    for p = 1, plan.parts do
      local mode = plan.modes[p]
      if mode == 'q' then
        quotas = quotas + 1
        exhausted = exhausted + (over[p] and 1 or 0)
      elseif over[p] and mode ~= 's' then
        return false
      end
    end
    return quotas == 0 or exhausted < quotas
  end

  local function decide_joint(plan, first, at, _, reservation)
    local windows, over, missing, full = {}, {}, {}, {}
    local now, stride = clock, plan.stride
    for i = 1, #plan do
      local claim = plan[i]
      local w = general.open(KEYS[first + stride * (i - 1) + 1], claim)
      if not w then
        reply[at + 1] = -1
        return at + 1
      end
      w.need = (plan.modes[claim.part] == 'c' or claim.cost == 0 and plan.asks) and 1 or claim.cost
      if w.need > 0 and w.used + w.need > claim.limit then
        w.over = true
        over[claim.part] = true
      elseif w.missing and plan.take and claim.cost > 0 then
        missing[claim.part] = (missing[claim.part] or 0) + 1
      end
      if w.now > now then
        now = w.now
      end
      windows[i] = w
    end
    for i = 1, #plan do
      local p = plan[i].part
      if missing[p] then
        full[p] = keys.full_until(KEYS[first + stride * (i - 1)], missing[p])
        over[p] = over[p] or full[p] ~= nil
        missing[p] = nil
      end
    end
    local admitted = outcome(plan, over)
    local states, last = { (admitted and 1 or 0) + 2 * (general.time_in(plan, now) - clock) }, 1
    for i = 1, #plan do
      local w, claim, index = windows[i], plan[i], KEYS[first + stride * (i - 1)]
      local p, limit = claim.part, claim.limit
      local mode = plan.modes[p]
      local takes = mode == 'c' or admitted and (mode == 'e' or not over[p])
      local taken = takes and plan.take and not full[p] and claim.cost or 0
      w.now = general.time_in(claim, now)
      if w.over then
        w.retry = w.need > limit and -1 or general.free_then(w, w.used + taken + w.need - limit, claim.form)
      end
      if taken > 0 then
        if w.concurrent then
          part('slots').add(w, taken)
        elseif claim.form == 'log' then
          general.add_to_log(w, taken, taken > HEAVY, limit, index, claim.name)
        else
          local reserved = plan.reserves and claim.form == 'reserved'
          part('rings').add(w, taken, index, claim.name, claim.form == 'reserved')
          if reserved then
            keys.remember(KEYS[first + stride * (i - 1) + 2], claim.name, w.now, taken, w.span, index, reservation)
          end
        end
        w.used = w.used + taken
      end
      general.end_with_period(w, claim)
      if full[p] and w.missing and claim.cost > 0 then
        w.used, w.free, w.retry = limit, full[p] > 0 and full[p] or 0, full[p]
      end
      states[last + 1], states[last + 2], states[last + 3] = w.used, w.free or 0, w.retry
      last = last + 3
    end
    reply[at + 1] = packed(plan, states)
    return at + 1
  end

  return { decide = decide_joint }
end

-- Requests for windows of several identifiers that are all enforced, the most frequent case: all windows have units, none was written
-- when the clock was ahead, and the request is admitted. Others are left to the part above before anything is written.
--
-- Requests of one call often have windows in common, those of a team or an organisation. The rings of all requests are therefore read
-- together, and each is written once: when the call ends, or when another part is about to use it (see release).
function build.chain()
  local call, pcall, byte, floor, string_rep, format = redis.call, redis.pcall, string.byte, math.floor, string.rep, string.format
  local pack, unpack, unpack_table, type, KEYS = struct.pack, struct.unpack, unpack, type, KEYS
  local logs, rings = part('log'), part('ring')
  local later, stamp = logs.later, logs.stamp
  local MOST_KEYS = 1000 -- of one command
  local FIRST, FIRST_BYTES = '>BI7I7I7', HEADER + ENTRY_BYTES -- a ring up to its first bucket
  -- Per log of a request, overwritten by the next one: whether its unit is simply appended. Otherwise its units, its last unit, its
  -- value, and the unexpired part, false for a long one.
  local appended, used, lasts, values, kept = {}, {}, {}, {}, {}
  -- States of rings by key, false if a ring is not as usual. A state is an array, which is faster than names: the claim, the index, and
  -- see parse. Its total includes what has not been written.
  local CLAIM, INDEX, RING_VALUE, START, BASE, SUM, BUCKET, TOTAL, FREE = 1, 2, 3, 4, 5, 6, 7, 8, 9
  local states, fetched = {}, false

  -- Fills the state of a ring: its value; where its first unexpired bucket begins, and the units before; the sum and the number of its
  -- last bucket; the sum again, to which units are added; when the first unit expires. Returns false if it is not as usual.
  local function parse(ring, state)
    if type(ring) ~= 'string' or #ring < FIRST_BYTES or #ring % ENTRY_BYTES ~= HEADER then
      return false
    end
    local claim, start = state[CLAIM], HEADER + 1
    local flag, base, sum, head = unpack(FIRST, ring)
    local bucket = head
    if #ring > FIRST_BYTES then
      sum, bucket = unpack(ENTRY, ring, #ring - ENTRY_BYTES + 1)
    end
    if flag ~= RING or bucket > claim.number then
      return false
    end
    if head <= claim.expired then
      start, base, head = rings.head(ring, claim.expired)
    end
    if not head or sum <= base then
      return false
    end
    state[RING_VALUE], state[START], state[BASE], state[SUM], state[BUCKET], state[TOTAL] = ring, start, base, sum, bucket, sum
    state[FREE] = claim.ends or (head + 1) * claim.width - 1 + claim.span
    return state
  end

  -- Reads the rings of all requests of the call.
  local function fetch(decide)
    local names, found, count, first = {}, {}, 0, 1
    for i = 1, #codes do
      local plan = plans[byte(codes, i) - 32]
      if plan.decide == decide then
        local positions = plan.rings
        for j = 1, #positions, 2 do
          local at = first + positions[j + 1]
          local key = KEYS[at]
          if states[key] == nil then
            local state = { plan[positions[j]], KEYS[at - 1], '', 0, 0, 0, 0, 0, 0 }
            count = count + 1
            names[count], found[count], states[key] = key, state, state
          end
        end
      end
      first = first + plan.keys
    end
    for from = 1, count, MOST_KEYS do
      local values = call('MGET', unpack_table(names, from, math.min(from + MOST_KEYS - 1, count)))
      for i = 1, #values do
        local at = from + i - 1
        if not parse(values[i], found[at]) then
          states[names[at]] = false
        end
      end
    end
    fetched = true
  end

  local function write(key, state)
    local total, sum = state[TOTAL], state[SUM]
    if total == sum then
      return
    end
    local claim, ring = state[CLAIM], state[RING_VALUE]
    if state[BUCKET] == claim.listed then
      call('SETRANGE', key, format('%d', #ring - ENTRY_BYTES), pack(TIME, total))
    else
      rings.write(key, ring, state[START], state[BASE], sum, state[BUCKET], total - sum, claim.span, state[INDEX], claim.name)
    end
  end

  -- Reads a log. Returns its units and the first one, or nil if it is not as usual.
  local function read(i, key, claim, edge)
    local value = pcall('GETRANGE', key, PAGE_START, '-1')
    if type(value) ~= 'string' then
      return nil
    end
    local size = #value
    if size == 0 or size % BYTES > 0 then
      return nil
    end
    local last = unpack(TIME, value, size - BYTES + 1)
    if last > clock or last <= edge then
      return nil -- also a weighted log, or a foreign value
    end
    local head, units, later_part = nil, nil, value
    if size == PAGE then
      local total = call('STRLEN', key) / BYTES
      if total ~= floor(total) then
        return nil
      end
      units, head = part('long').seek(key, total, edge, last)
      units, later_part = total - units, false
    else
      head = unpack(TIME, value, 1)
      if head > clock then
        return nil -- a ring
      elseif head <= edge then
        later_part, head = later(value, edge)
      end
      units = #later_part / BYTES
    end
    if later_part == value and last >= claim.since and units < claim.quick then
      appended[i] = true
    else
      appended[i], used[i], lasts[i], values[i], kept[i] = false, units, last, value, later_part
    end
    return units, head
  end

  -- Adds units to a log that needs more than to be appended to.
  local function extend(i, claim, key, index)
    local units, span = used[i], claim.span
    local added, noted = string_rep(stamp, claim.cost), floor(lasts[i] / span)
    if kept[i] then
      logs.write(key, values[i], kept[i], added, units == claim.room, span, clock, noted, index, claim.name)
    else
      part('long').append(key, units, claim.cost, claim.limit, added, span, clock, noted, index, claim.name)
    end
  end

  -- Writes what was added to rings, for a part that reads them itself. to: the last of the keys, or nil for all rings.
  local function release(from, to)
    if not to then
      for key, state in pairs(states) do
        if state then
          write(key, state)
        end
      end
      return
    end
    for i = from, to do
      local state = states[KEYS[i]]
      if state ~= nil then
        if state then
          write(KEYS[i], state)
        end
        states[KEYS[i]] = nil
      end
    end
  end

  -- Leaves a request to the general part. windows: the number of those whose rings have been added to
  local function leave(plan, first, at, times, reservation, windows)
    for i = 1, windows do
      local state = not plan[i].edge and states[KEYS[first + plan.stride * (i - 1) + 1]]
      if state then
        state[TOTAL] = state[TOTAL] - plan[i].cost
      end
    end
    release(first, first + plan.keys - 1)
    return part('joint').decide(plan, first, at, times, reservation)
  end

  local function decide_chain(plan, first, at, times, reservation)
    if not fetched then
      fetch(plan.decide)
    end
    local numbers, stride, key, last = plan.numbers, plan.stride, first + 1, 1
    for i = 1, #plan do
      local claim, units, free = plan[i], nil, nil
      local edge, cost = claim.edge, claim.cost
      if edge then
        units, free = read(i, KEYS[key], claim, edge)
        if not units or units > claim.room then
          return leave(plan, first, at, times, reservation, i - 1)
        end
        free = claim.ends or free + claim.span
      else
        local state = states[KEYS[key]]
        if state == nil then
          state = parse(pcall('GETRANGE', KEYS[key], PAGE_START, '-1'), { claim, KEYS[key - 1], '', 0, 0, 0, 0, 0, 0 })
          states[KEYS[key]] = state
        end
        local total = state and state[TOTAL]
        units = total and total - state[BASE]
        if not units or units > claim.room or total > claim.most then
          return leave(plan, first, at, times, reservation, i - 1)
        end
        state[TOTAL], free = total + cost, state[FREE]
      end
      numbers[last], numbers[last + 1] = units + cost, free
      last = last + 2
      key = key + stride
    end
    local positions = plan.logs
    for j = 1, #positions, 2 do
      local i, at_key = positions[j], first + positions[j + 1]
      if appended[i] then
        call('APPEND', KEYS[at_key], stamp)
      else
        extend(i, plan[i], KEYS[at_key], KEYS[at_key - 1])
      end
    end
    for i = 1, plan.reserves and #plan or 0 do
      local claim, at_key = plan[i], first + stride * (i - 1)
      if claim.cost > 0 and claim.form == 'reserved' then
        part('keys').remember(KEYS[at_key + 2], claim.name, clock, claim.cost, claim.span, KEYS[at_key], reservation)
      end
    end
    reply[at + 1] = pack(plan.packed, unpack_table(numbers))
    return at + 1
  end

  -- Adds to a plan what is the same for all of its requests: the windows to which a request adds, each with its distance from the
  -- first key, and the time-dependent bounds of each claim.
  local function prepare(plan)
    plan.logs, plan.rings, plan.numbers, plan.packed = {}, {}, {}, '>' .. string_rep('I7', 2 * #plan)
    for i = 1, #plan do
      local claim = plan[i]
      local span, cost, width = claim.span, claim.cost, claim.width
      local since = clock - clock % span -- a window that was last written before is not listed in this window length
      claim.room = cost == 0 and math.huge or claim.limit - cost
      if claim.form == 'log' then
        claim.edge, claim.since = clock - span, since
        claim.room = cost > HEAVY and -1 or claim.room -- a heavy cost makes the log weighted
        claim.quick = cost == 1 and claim.room or 0 -- units from which on more than an APPEND is needed
      else
        claim.number, claim.expired, claim.most = floor(clock / width), floor((clock + 1 - span) / width) - 1, MOST_UNITS - cost
        claim.listed = claim.number * width >= since and claim.number or nil
      end
      local positions = claim.edge and plan.logs or plan.rings
      if cost > 0 or not claim.edge then
        positions[#positions + 1], positions[#positions + 2] = i, plan.stride * (i - 1) + 1
      end
    end
  end

  return { decide = decide_chain, release = release, prepare = prepare }
end

local arg = 6
for p = 1, tonumber(ARGV[3]) do
  local windows = tonumber(ARGV[arg])
  local kind = ARGV[arg + 2]
  local plan = { take = ARGV[arg + 1] == '1', reserves = kind == '1' or kind == '4', decide = nil }
  local joint = kind >= '2'
  if joint then
    plan.modes, plan.parts, plan.asks, plan.stride = {}, 0, kind == '2', plan.reserves and 3 or 2
  end
  arg = arg + 3
  for i = 1, windows do
    local limit, form = tonumber(ARGV[arg]), ARGV[arg + 3]
    local short = form == 'log' and limit * BYTES > PAGE
    local span, begins, ends = tonumber(ARGV[arg + 1]), nil, nil
    if not span then -- a calendar window
      span, begins = string.match(ARGV[arg + 1], '^(%d+)@(%-?%d+)$')
      span, begins = tonumber(span), begins * 1000000
      ends = begins + span
      plan.begins, plan.ends = math.max(plan.begins or begins, begins), math.min(plan.ends or ends, ends)
    end
    plan[i] = { limit = limit, span = span, begins = begins, ends = ends, width = math.floor(span / 60),
      cost = tonumber(ARGV[arg + 2]), form = form,
      name = ARGV[arg + 4], page = short and SHORT or PAGE, start = short and SHORT_START or PAGE_START, from = nil, to = nil }
    plan.concurrent = plan.concurrent or form == 'slots'
    arg = arg + 5
    if joint then
      plan.parts = tonumber(string.sub(ARGV[arg], 2))
      plan[i].part, plan.modes[plan.parts] = plan.parts, string.sub(ARGV[arg], 1, 1)
      arg = arg + 1
    end
  end
  local way = joint and (plan.take and not plan.asks and not plan.concurrent and 'chain' or 'joint') or 'general'
  if windows == 1 and not joint and not plan.concurrent and not plan.reserves and not plan.ends and plan[1].cost > 0 and plan[1].cost <= plan[1].limit then
    way = plan[1].form ~= 'log' and 'ring' or plan[1].cost <= HEAVY and 'log' or 'general'
  end
  plan.keys = joint and plan.stride * windows or windows + (plan.reserves and 2 or 1)
  plan.decide = part(way).decide
  if way == 'chain' then
    part('chain').prepare(plan)
  end
  plans[p] = plan
end

local chain = built.chain
local first, at = 1, 1
for i = 1, #codes do
  local plan = plans[string.byte(codes, i) - 32]
  local reservation = plan.reserves and ARGV[arg] or nil
  local times = sizes == '' and 1 or 256 * string.byte(sizes, 2 * i - 1) + string.byte(sizes, 2 * i)
  local done, where
  if plan.ends and (clock < plan.begins or clock >= plan.ends) then
    done, where = true, at + 1
    reply[where] = -2
  else
    if chain and plan.decide ~= chain.decide then
      chain.release(first, first + plan.keys - 1)
    end
    done, where = pcall(plan.decide, plan, first, at, times, reservation)
  end
  if done then
    at = where
  else
    local said = type(where) == 'table' and where.err or tostring(where)
    if not string.find(said, 'WRONGTYPE', 1, true) then
      error(where, 0) -- Redis rejects writes: no request is decided
    end
    local ends = at + 2 + 3 * #plan
    while ends > at + 1 do
      reply[ends] = nil
      ends = ends - 1
    end
    at = at + 1
    reply[at] = -1
  end
  first = first + plan.keys
  arg = arg + (plan.reserves and 1 or 0)
end
if chain then
  chain.release()
end
if repaired > 0 then
  reply[at + 1], reply[at + 2] = repaired, first_repaired
elseif bounded > 0 then
  reply[at + 1], reply[at + 2] = bounded, 'bound'
end
return reply
