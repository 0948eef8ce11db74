-- Begin of the scripts that delete foreign values.

local call = redis.call
local repaired = {}
-- Deletes a key that holds a value of another type.
local function own(key, expected)
  local actual = call('TYPE', key).ok
  if actual ~= expected and actual ~= 'none' then
    call('DEL', key)
    repaired[#repaired + 1] = key
  end
  return key
end
