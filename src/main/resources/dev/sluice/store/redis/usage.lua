-- Counts the units in windows. Read only.
--
-- KEYS     windows, in the formats of decide.lua: log, ring, or ring in the old format
-- ARGV     their lengths in microseconds; of a calendar window: of its period, followed by "@" and the period's begin in Unix seconds.
--          Such a window is empty outside of its period
-- Returns  the time in microseconds since 1970, then the units in each window. A foreign value counts as an empty window; the
--          next decision deletes it
--
-- Of a long log only single units are read, so that one call can count many windows.

local BYTES = 7
local PAGE, PAGE_START = 130 * BYTES, '-910'
local RING, HEADER, ENTRY, ENTRY_BYTES = 82, 8, '>I7I7', 14
local FLAG, WEIGHTED, WEIGHTED_BYTES, MODULUS = 72, '>I7BI3I3', 14, 2 ^ 24
local call, pcall, unpack, floor, format = redis.call, redis.pcall, struct.unpack, math.floor, string.format

local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]

local function ring(entries, span)
  local width = floor(span / 60)
  local before = unpack('>I7', entries, 2)
  for i = HEADER + 1, #entries, ENTRY_BYTES do
    local sum, bucket = unpack(ENTRY, entries, i)
    if (bucket + 1) * width - 1 + span > clock then
      return unpack(ENTRY, entries, #entries - ENTRY_BYTES + 1) - before
    end
    before = sum
  end
  return 0
end

local function old_ring(key, span)
  local width = floor(span / 60)
  local entries = pcall('LRANGE', key, '0', '400')
  if entries.err or #entries % 2 == 0 or string.byte(entries[#entries]) ~= 126 then
    return 0
  end
  local sum = 0
  for i = 1, #entries - 1, 2 do
    local bucket, count = tonumber(entries[i]), tonumber(entries[i + 1])
    if bucket and count and (bucket + 1) * width - 1 + span > clock then
      sum = sum + count
    end
  end
  return sum
end

-- unit(i) returns the time of unit i, from 1.
local function later(total, edge, unit)
  local low, high = 0, total
  while low < high do
    local middle = floor((low + high) / 2)
    if unit(middle + 1) <= edge then
      low = middle + 1
    else
      high = middle
    end
  end
  return total - low
end

local function log(key, page, span)
  local edge = clock - span
  local total = #page / BYTES
  if #page < PAGE or unpack('>I7', page, 1) <= edge then
    return later(total, edge, function(i)
      return (unpack('>I7', page, (i - 1) * BYTES + 1))
    end)
  end
  total = call('STRLEN', key) / BYTES
  return later(floor(total), edge, function(i)
    return (unpack('>I7', call('GETRANGE', key, format('%d', (i - 1) * BYTES), format('%d', i * BYTES - 1)), 1))
  end)
end

-- See decide.lua. Reads single times and entries of a log that is longer than the page.
local function weighted_log(key, page, span)
  local edge = clock - span
  local whole = #page < PAGE
  local total = (whole and #page or call('STRLEN', key)) / BYTES
  if total < 2 then
    return 0
  end
  local last, _, plain, sum = unpack(WEIGHTED, page, #page - WEIGHTED_BYTES + 1)
  local entries = (total - plain) / 2
  if entries < 1 or entries ~= floor(entries) or last <= edge then
    return 0
  end
  local function slot(number, bytes)
    local from = (number - 1) * BYTES
    return whole and string.sub(page, from + 1, from + bytes)
      or call('GETRANGE', key, format('%d', from), format('%d', from + bytes - 1))
  end
  local live = later(entries, edge, function(i)
    return (unpack('>I7', slot(plain + 2 * i - 1, BYTES), 1))
  end)
  if live == entries then
    return sum + later(plain, edge, function(i)
      return (unpack('>I7', slot(i, BYTES), 1))
    end)
  end
  local _, _, _, before = unpack(WEIGHTED, slot(plain + 2 * (entries - live) - 1, WEIGHTED_BYTES), 1)
  return (sum - before) % MODULUS
end

local function count(key, span)
  local page = pcall('GETRANGE', key, PAGE_START, '-1')
  if page == '' then
    return 0
  elseif type(page) == 'table' then
    if not string.find(page.err, 'WRONGTYPE', 1, true) then
      error(page.err, 0)
    end
    return old_ring(key, span)
  elseif string.byte(page) == RING and #page % ENTRY_BYTES == HEADER and #page > HEADER then
    return ring(page, span)
  elseif #page % BYTES == 0 and string.byte(page, #page - BYTES + 1) == FLAG then
    return weighted_log(key, page, span)
  elseif string.byte(page) < 32 and #page % BYTES == 0 then
    return log(key, page, span)
  end
  return 0
end

local reply = { clock }
for i = 1, #KEYS do
  local span, begins = tonumber(ARGV[i]), nil
  if not span then
    span, begins = string.match(ARGV[i], '^(%d+)@(%-?%d+)$')
    span, begins = tonumber(span), begins * 1000000
  end
  local over = begins and (clock < begins or clock >= begins + span)
  reply[i + 1] = over and 0 or count(KEYS[i], span)
end
return reply
