-- Sums the histograms of a model's outputs over hours.
--
-- KEYS       hashes of the hours
-- ARGV[1]    provider
-- ARGV[2]    model
-- ARGV[...]  counters of the buckets, in order
-- Returns    per bucket with calls: its number, from 0, and its calls
--
-- An hour without calls of the model costs one command: names of models are chosen by callers, who would otherwise decide how
-- much a denied call costs. Foreign data counts as no calls.

local sums, fields = {}, nil
for i = 1, #KEYS do
  local calls = redis.pcall('HGET', KEYS[i], ARGV[1] .. ':c:' .. ARGV[2])
  if type(calls) == 'string' then
    if not fields then
      fields = {}
      for bucket = 1, #ARGV - 2 do
        fields[bucket] = ARGV[1] .. ':' .. ARGV[bucket + 2] .. ':' .. ARGV[2]
      end
    end
    local counts = redis.call('HMGET', KEYS[i], unpack(fields))
    for bucket = 1, #fields do
      if counts[bucket] and string.match(counts[bucket], '^%d+$') then
        sums[bucket] = math.min((sums[bucket] or 0) + tonumber(counts[bucket]), 2 ^ 31 - 1)
      end
    end
  end
end
local reply = {}
for bucket = 1, #ARGV - 2 do
  if sums[bucket] then
    reply[#reply + 1], reply[#reply + 2] = bucket - 1, sums[bucket]
  end
end
return reply
