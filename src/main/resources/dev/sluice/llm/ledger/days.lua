-- Sums the hours of identifiers by owner, provider and model, and writes the sums to the hashes of days, or returns them.
--
-- KEYS[1]    sorted set of the days of identifiers whose sums are to be computed, "<day>:<identifier>"
-- KEYS[...]  per group: hash of the day, then the identifier's hashes of hours (see book.lua)
-- ARGV[1]    "write" or "read"
-- ARGV[...]  per group: identifier, its member of KEYS[1], expiry of the hash of the day (Unix seconds), number of hashes of hours,
--            then per hash of an hour: hour of the day, 0 to 23
-- Returns    the number of groups; of "read", per group a list of fields and values
--
-- A field of the hash of a day is a JSON array: identifier, owner, provider, model. Its value has the sums of calls, input, cached
-- input, cache write, output, picodollars, calls without a price and estimated calls, and the sum of 2^hour of the hours in
-- which there are calls, separated by spaces. Values are computed from the hours, never added to: a group may be written
-- repeatedly, and by several instances. A sum may exceed 2^63-1.
--
-- Numbers of Lua are exact up to 2^53, so a sum has two parts: its last twelve digits, and the others.

local PART = 1000000000000
local COUNTERS = { 'c', 'i', 'r', 'w', 'o', 'p', 'u', 'e' }

local function new_row()
  local row = { hours = 0 }
  for _, counter in ipairs(COUNTERS) do
    row[counter], row[counter .. '+'] = 0, 0
  end
  return row
end

local function add(row, counter, text, sign)
  local high = counter .. '+'
  if #text > 12 then
    row[high] = row[high] + sign * tonumber(string.sub(text, 1, -13))
    text = string.sub(text, -12)
  end
  row[counter] = row[counter] + sign * tonumber(text)
end

local function text_of(row, counter)
  local carry = math.floor(row[counter] / PART)
  local low, high = row[counter] - carry * PART, row[counter .. '+'] + carry
  if high < 0 then
    return '0' -- the sum of all calls is capped at 2^63-1
  end
  return high > 0 and string.format('%.0f%012.0f', high, low) or string.format('%.0f', low)
end

-- Adds an hour's sums to the rows of a group.
local function add_hour(rows, identifier, content, hour)
  local owners, touched = {}, {}
  for i = 1, #content, 2 do
    if string.sub(content[i], 1, 1) == '@' then
      owners[content[i + 1]] = string.sub(content[i], 2)
    end
  end
  local function row_of(number, provider, model)
    local name = cjson.encode({ identifier, owners[number] or '', provider, model })
    rows[name] = rows[name] or new_row()
    touched[name] = touched[name] or 0
    return rows[name], name
  end
  for i = 1, #content, 2 do
    local field, value = content[i], content[i + 1]
    if string.sub(field, 1, 1) ~= '@' and string.find(value, '^%d+$') then
      local provider, number, counter, model = string.match(field, '^([^:]*):(%d*)([cirwopue]):(.*)$')
      if provider then
        local row, name = row_of(number == '' and '0' or number, provider, model)
        local first, first_name = row_of('0', provider, model)
        add(row, counter, value, 1)
        if number ~= '' then
          add(first, counter, value, -1)
        end
        if counter == 'c' then
          touched[name] = touched[name] + tonumber(value)
          if number ~= '' then
            touched[first_name] = touched[first_name] - tonumber(value)
          end
        end
      end
    end
  end
  for name, calls in pairs(touched) do
    if calls > 0 then
      rows[name].hours = rows[name].hours + 2 ^ hour
    end
  end
end

local reply = {}
local key, argument, groups = 2, 2, 0
while argument <= #ARGV do
  local identifier, member, expiry = ARGV[argument], ARGV[argument + 1], ARGV[argument + 2]
  local hours = tonumber(ARGV[argument + 3])
  local day_key, rows, listed = KEYS[key], {}, {}
  for i = 1, hours do
    local content = redis.pcall('HGETALL', KEYS[key + i])
    if not content.err and #content > 0 then
      add_hour(rows, identifier, content, tonumber(ARGV[argument + 3 + i]))
      listed[#listed + 1] = KEYS[key + i]
    end
  end
  local pairs_of_group = {}
  for name, row in pairs(rows) do
    if row.hours > 0 then
      local texts = {}
      for index, counter in ipairs(COUNTERS) do
        texts[index] = text_of(row, counter)
      end
      texts[#texts + 1] = string.format('%.0f', row.hours)
      pairs_of_group[#pairs_of_group + 1] = name
      pairs_of_group[#pairs_of_group + 1] = table.concat(texts, ' ')
    end
  end
  if ARGV[1] == 'read' then
    reply[#reply + 1] = pairs_of_group
  else
    for i = 1, #pairs_of_group, 2 do
      redis.call('HSET', day_key, pairs_of_group[i], pairs_of_group[i + 1])
    end
    if #pairs_of_group > 0 then
      redis.call('EXPIREAT', day_key, expiry)
    end
    for _, hash in ipairs(listed) do
      redis.call('HSET', hash, 'day', '0')
    end
    redis.call('ZREM', KEYS[1], member)
  end
  groups = groups + 1
  key, argument = key + 1 + hours, argument + 4 + hours
end
return ARGV[1] == 'read' and reply or groups
