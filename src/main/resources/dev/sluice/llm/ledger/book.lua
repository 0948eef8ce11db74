-- Books a batch of entries, once: a batch that is sent again changes nothing.
--
-- KEYS[1]    the number of the last batch of this instance and hash tag
-- KEYS[...]  hashes of an identifier's hour, and marks of requests
-- ARGV[1]    this batch's number
-- ARGV[2]    seconds for which KEYS[1] is kept
-- ARGV[...]  per entry: position of its hash in KEYS, when that expires (Unix seconds), position of its request's mark
--            (0: none), how many pairs follow, then pairs of field and increment
-- Returns    per entry 1, or 0 where its request was booked before; nothing where the batch was

local last = tonumber(redis.call('GET', KEYS[1]) or 0)
if last >= tonumber(ARGV[1]) then
  return {}
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])

local booked = {}
local at = 3
while at <= #ARGV do
  local page, expiry, mark, pairs_ = KEYS[tonumber(ARGV[at])], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  local fresh = 1
  if mark > 0 then
    if redis.call('SETNX', KEYS[mark], 1) == 1 then
      redis.call('EXPIREAT', KEYS[mark], expiry)
    else
      fresh = 0
    end
  end
  for i = 1, pairs_ do
    if fresh == 1 then
      local sum = redis.pcall('HINCRBY', page, ARGV[at], ARGV[at + 1])
      if type(sum) == 'table' then
        redis.call('HSET', page, ARGV[at], '9223372036854775807') -- a sum that no number holds is the largest there is
      end
    end
    at = at + 2
  end
  if fresh == 1 and redis.call('TTL', page) < 0 then
    redis.call('EXPIREAT', page, expiry)
  end
  booked[#booked + 1] = fresh
end
return booked
