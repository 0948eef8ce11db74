-- Reads rates that came with requests in this hour or the previous one. Read only.
--
-- KEYS[1]  prefix of the keys, with their hash tag: the hour follows. The keys are in the slot of this one
-- ARGV     names of the rates
-- Returns  the rates, empty for those that are not known

local time = redis.call('TIME')
local hour = math.floor(tonumber(time[1]) / 3600)
local reply = {}
for i, name in ipairs(ARGV) do
  local prefix = KEYS[1] .. ':rates:'
  reply[i] = redis.call('HGET', prefix .. string.format('%d', hour), name)
    or redis.call('HGET', prefix .. string.format('%d', hour - 1), name) or ''
end
return reply
