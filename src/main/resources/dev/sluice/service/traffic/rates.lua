-- Reads rates that came with requests in this hour or the previous one. Read only.
--
-- KEYS[1]  prefix of the keys, with their hash tag: the hour follows. The keys are in the slot of this one
-- ARGV     names of the rates
-- Returns  the rates, empty for those that are not known

local time = redis.call('TIME')
local hour = math.floor(tonumber(time[1]) / 3600)
local reply = {}
-- Returns the rate that an hour has; false without one, also if the key holds a foreign value, which the next write deletes.
local function rate(of, name)
  local found = redis.pcall('HGET', KEYS[1] .. ':rates:' .. string.format('%d', of), name)
  return type(found) == 'string' and found
end
for i, name in ipairs(ARGV) do
  reply[i] = rate(hour, name) or rate(hour - 1, name) or ''
end
return reply
