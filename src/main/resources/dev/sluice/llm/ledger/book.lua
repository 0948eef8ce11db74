-- Books a batch of entries exactly once. A retried batch changes nothing and returns its earlier outcome.
--
-- KEYS[1]    sequence number and outcome of the last batch of this instance and buffer: "<number>:<outcome>"
-- KEYS[...]  hashes of an identifier's hour; sorted sets of the request ids (idempotency keys) of an identifier, by the time at
--            which they were booked; keys of single requests, as which the previous version kept them; and sorted sets of the days of
--            identifiers whose rows in the day's hash are to be computed (see days.lua)
-- ARGV[1]    sequence number of this batch, greater than that of every earlier batch
-- ARGV[2]    expiry of KEYS[1] in seconds
-- ARGV[3]    maximum number of models of a hash
-- ARGV[4]    name of the model as which further models are summed
-- ARGV[5]    maximum number of request ids of an identifier; beyond that the oldest are removed
-- ARGV[6]    maximum number of owners of a hash; further ones are summed as one owner, "*"
-- ARGV[7]    expiry of the sets of days in seconds
-- ARGV[...]  per entry: position of its hash in KEYS, expiry of the hash (Unix seconds), positions in KEYS of the set of request
--            ids and of the request's own key (0: none), request id, position in KEYS of the set of days, the identifier's day
--            in it, owner, provider, model, number of pairs, then pairs of counter and increment (1 to 2^63-1). The first
--            counter is that of calls, "c"
--
-- Fields of a hash:
-- provider:counter:model         sum of all calls of the model
-- provider:<number>counter:model sum of the calls of an owner other than the first, of the counters "c", "i", "r", "w", "o", "p",
--                                "u" and "e". What is left of the sum of all is the first owner's: nearly always the only one,
--                                for which nothing more is written
-- models                         number of models, without that of ARGV[4]
-- owners                         number of owners
-- @<owner>                       number of an owner, from 0
-- day                            1 if the day of the hash is in the set of days; 0 if the rows of the day include the hash
--
-- Returns    the outcome, one character per entry: 1 booked; 0 its request was booked before; 2 booked, but a sum reached
--            2^63-1 and stays there; 3 not booked, permanently. Empty if a later batch was booked already. Or a list of
--            positions in KEYS that hold foreign data: nothing was written, and the batch may be sent again once that data
--            has been moved (see aside.lua)
--
-- Redis does not roll back a failed script, so a failure must occur before the first booking or not at all:
-- 1. All keys and fields are read first. This detects a wrong type or a field that is not an integer.
-- 2. The first write sets KEYS[1] to its current value. If Redis is out of memory, a replica, unable to persist, or short of
--    replicas, it rejects a script's first write, and never a later one for these reasons.
-- 3. The additions to the sets of days follow. They may be rejected: nothing is booked then. They are harmless without a
--    booking. The first increment may be rejected too (a user without HINCRBY). Then the script fails as well.
-- 4. After that no error is raised: a rejected command becomes an outcome.
-- 5. The sequence number is written last, so that only a complete batch counts as booked.

local MAX_INTEGER = '9223372036854775807'

-- Returns true if Redis accepts this text as an integer for HINCRBY.
local function is_integer(text)
  if #text < #MAX_INTEGER and string.find(text, '^[1-9]%d*$') then
    return true
  end
  local digits = string.match(text, '^%-?([1-9]%d*)$')
  return text == '0' or digits and (#digits < #MAX_INTEGER or #digits == #MAX_INTEGER and digits <= MAX_INTEGER)
end

local function is_error(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

local last_batch = redis.pcall('GET', KEYS[1])
local last_number, outcome
if type(last_batch) == 'string' then
  last_number, outcome = string.match(last_batch, '^(%d+):(%d*)$')
end
if not last_number then
  last_batch, last_number = '0:', 0 -- missing, or foreign data under a random name, which is overwritten
end
last_number = tonumber(last_number)
if last_number >= tonumber(ARGV[1]) then
  return last_number == tonumber(ARGV[1]) and outcome or ''
end

local entries, foreign, reported = {}, {}, {}
local function report_foreign(position)
  if not reported[position] then
    reported[position] = true
    foreign[#foreign + 1] = position
  end
end

-- Reads the fields of an entry. Returns false if there is foreign data; otherwise the number of models of the hash, and whether
-- the entry's model is one of them.
local function read_fields(entry)
  entry.fields = { 'models', 'day', '@' .. entry.owner }
  for i = entry.first, entry.last, 2 do
    entry.fields[#entry.fields + 1] = entry.provider .. ':' .. ARGV[i] .. ':' .. entry.model
  end
  local values = redis.pcall('HMGET', KEYS[entry.hash], unpack(entry.fields))
  if is_error(values) then
    report_foreign(entry.hash)
    return false
  end
  for i = 1, #entry.fields do
    if values[i] and not is_integer(values[i]) then
      report_foreign(entry.hash)
      return false
    end
  end
  entry.is_listed = values[2] == '1'
  entry.owner_number = tonumber(values[3])
  return tonumber(values[1] or 0), values[4]
end

local max_models, other_models, max_requests = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local models, new_models = {}, {} -- by hash: number of models after the entries so far; by field: true
local max_owners, days_ttl = tonumber(ARGV[6]), ARGV[7]
local next_argument = 8
while next_argument <= #ARGV do
  local entry = {
    hash = tonumber(ARGV[next_argument]),
    expiry = ARGV[next_argument + 1],
    requests = tonumber(ARGV[next_argument + 2]),
    id = ARGV[next_argument + 4],
    days = tonumber(ARGV[next_argument + 5]),
    day = ARGV[next_argument + 6],
    owner = ARGV[next_argument + 7],
    provider = ARGV[next_argument + 8],
    model = ARGV[next_argument + 9],
    is_new = true
  }
  entry.first = next_argument + 11
  entry.last = entry.first + 2 * tonumber(ARGV[next_argument + 10]) - 2
  if entry.requests > 0 then
    local booked = redis.pcall('ZSCORE', KEYS[entry.requests], entry.id)
    if is_error(booked) then
      report_foreign(entry.requests)
    elseif not booked then
      booked = redis.pcall('GET', KEYS[tonumber(ARGV[next_argument + 3])])
      if is_error(booked) then
        if not string.find(booked.err, 'WRONGTYPE', 1, true) then
          return booked
        end
        booked = false
      end
    end
    entry.is_new = not booked
  end
  if entry.is_new then
    local count, has_model = read_fields(entry)
    if count and not has_model and entry.model ~= other_models then
      local field = entry.hash .. ' ' .. entry.fields[4]
      count = models[entry.hash] or count
      if new_models[field] then -- by an earlier entry
      elseif count < max_models then
        models[entry.hash] = count + 1
        new_models[field] = true
        entry.adds_model = true
      else
        entry.model = other_models
        read_fields(entry)
      end
    end
  end
  entries[#entries + 1] = entry
  next_argument = entry.last + 2
end
if #foreign > 0 then
  return foreign
end

redis.call('SET', KEYS[1], last_batch, 'EX', ARGV[2])

for _, entry in ipairs(entries) do
  if entry.is_new and not entry.is_listed then
    local added = redis.pcall('ZADD', KEYS[entry.days], '0', entry.day)
    if is_error(added) then
      if not string.find(added.err, 'WRONGTYPE', 1, true) then
        return added
      end
      report_foreign(entry.days)
    end
    redis.pcall('EXPIRE', KEYS[entry.days], days_ttl)
  end
end
if #foreign > 0 then
  return foreign
end

local numbers = {} -- by hash and owner: number of the owner, of this batch

-- Returns the number of an entry's owner, which is added if it is new; 0 if that is rejected, and the error.
local number_of_owner
function number_of_owner(entry, owner)
  local hash = KEYS[entry.hash]
  local name = entry.hash .. ' ' .. owner
  local number = numbers[name]
  if number then
    return number
  end
  local count = redis.pcall('HINCRBY', hash, 'owners', '1')
  if is_error(count) then
    return 0, count
  end
  if count > max_owners and owner ~= '*' then
    redis.pcall('HINCRBY', hash, 'owners', '-1')
    local other = redis.pcall('HGET', hash, '@*')
    number = type(other) == 'string' and tonumber(other) or number_of_owner(entry, '*')
  else
    number = count - 1
    redis.pcall('HSET', hash, '@' .. owner, string.format('%d', number))
  end
  numbers[name] = number
  return number
end

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000000 + time[2])
local has_booked = false
local outcomes = {}
for index, entry in ipairs(entries) do
  local booked = entry.is_new and '1' or '0'
  if entry.is_new then
    local hash = KEYS[entry.hash]
    local number, failure = entry.owner_number, nil
    if not number then
      number, failure = number_of_owner(entry, entry.owner)
      if failure and not has_booked then
        return failure
      end
    end
    for i = entry.first, entry.last, 2 do
      local field = entry.fields[4 + (i - entry.first) / 2]
      local sum = redis.pcall('HINCRBY', hash, field, ARGV[i + 1])
      if is_error(sum) then
        if string.find(sum.err, 'overflow', 1, true) then
          redis.pcall('HSET', hash, field, MAX_INTEGER)
          booked = '2'
        elseif has_booked then
          booked = '3'
        else
          return sum
        end
      end
      has_booked = true
      if number > 0 and #ARGV[i] == 1 then
        redis.pcall('HINCRBY', hash, entry.provider .. ':' .. number .. ARGV[i] .. ':' .. entry.model, ARGV[i + 1])
      end
    end
    if entry.adds_model then
      redis.pcall('HINCRBY', hash, 'models', '1')
    end
    if entry.requests > 0 then
      local requests = KEYS[entry.requests]
      redis.pcall('ZADD', requests, now, entry.id)
      redis.pcall('ZREMRANGEBYRANK', requests, '0', string.format('%d', -1 - max_requests))
      redis.pcall('EXPIREAT', requests, entry.expiry)
    end
    if not entry.is_listed then -- otherwise its expiry is set already
      redis.pcall('HSET', hash, 'day', '1')
      local ttl = redis.pcall('TTL', hash)
      if type(ttl) ~= 'number' or ttl < 0 and is_error(redis.pcall('EXPIREAT', hash, entry.expiry)) then
        redis.pcall('HSET', hash, 'day', '0')
      end
    end
  end
  outcomes[index] = booked
end

outcome = table.concat(outcomes)
redis.pcall('SET', KEYS[1], ARGV[1] .. ':' .. outcome, 'EX', ARGV[2])
return outcome
