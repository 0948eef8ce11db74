-- Returns the rows of hashes of days (see days.lua): per hash a list of fields and values. Foreign data counts as no rows.
--
-- KEYS  hashes of days

local reply = {}
for i = 1, #KEYS do
  local rows = redis.pcall('HGETALL', KEYS[i])
  reply[i] = rows.err and {} or rows
end
return reply
