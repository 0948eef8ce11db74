-- Moves foreign data out of a key of the ledger. It may belong to another application, so nothing is deleted.
--
-- KEYS[1]  a key of the ledger
-- KEYS[2]  destination of the foreign data
-- ARGV[1]  "hash" for an identifier's hour, "zset" for the request ids of an identifier
-- ARGV[2]  expiry of KEYS[2] (Unix seconds)
-- Returns  1 if data was moved; 0 if nothing is left to move, or KEYS[2] exists
--
-- A key of another type is renamed. Of a hash, only fields that are not integers are moved, so that valid fields still count.

local MAX_INTEGER = '9223372036854775807'

local function is_integer(text)
  local digits = string.match(text, '^%-?([1-9]%d*)$')
  return text == '0' or digits and (#digits < #MAX_INTEGER or #digits == #MAX_INTEGER and digits <= MAX_INTEGER)
end

local moved = 0
local content = redis.pcall(ARGV[1] == 'hash' and 'HGETALL' or 'ZCARD', KEYS[1])
if type(content) == 'table' and content.err then
  if not string.find(content.err, 'WRONGTYPE', 1, true) then
    return content
  end
  moved = redis.call('RENAMENX', KEYS[1], KEYS[2])
elseif ARGV[1] == 'hash' then
  for i = 1, #content, 2 do
    if not is_integer(content[i + 1]) then
      redis.call('HSET', KEYS[2], content[i], content[i + 1])
      redis.call('HDEL', KEYS[1], content[i])
      moved = 1
    end
  end
end
if moved == 1 then
  redis.call('EXPIREAT', KEYS[2], ARGV[2])
end
return moved
