-- Reads identities for the cache of an instance.
--
-- KEYS       the directory, in the order of DirectoryKeys
-- ARGV       pairs: hash and the SHA-256 of a key; or user, team or org, and a name
-- Returns    the time in microseconds since 1970, the last entry of the stream of changes, and the number of the last change, at
--            which all is read; and for each pair an array. Of a hash: nothing if it is unknown, otherwise the id of the key, its
--            record, and the name and the record of its user, its team and the team's organisation, each empty if there is none.
--            Of a name: the record, empty if there is none. Of what cannot be read: FOREIGN, a key and a field, see write.lua

local RECORDS = { key = 1, user = 2, team = 3, org = 4 }
local HASHES, CHANGES, REVISION = 5, 16, 17

local function get(index, field)
  local value = redis.pcall('HGET', KEYS[index], field)
  if type(value) == 'table' then
    if string.find(value.err, 'WRONGTYPE', 1, true) then
      return nil, { 'FOREIGN', KEYS[index], '' }
    end
    error(value.err, 0)
  end
  return value or ''
end

-- Returns a text field of a record's document; empty if there is none. The reader of the reply reports unreadable records.
local function field(record, name)
  local readable, value = pcall(cjson.decode, record)
  local document = readable and type(value) == 'table' and value.document
  local text = type(document) == 'table' and document[name]
  return type(text) == 'string' and text or ''
end

local function ofHash(hash)
  local id, foreign = get(HASHES, hash)
  if not id or id == '' then
    return foreign or {}
  end
  local reply = { id }
  reply[2], foreign = get(RECORDS.key, id)
  if not reply[2] then
    return foreign
  end
  local names = { user = field(reply[2], 'user'), team = field(reply[2], 'team'), org = '' }
  for _, kind in ipairs({ 'user', 'team', 'org' }) do
    local record = ''
    if names[kind] ~= '' then
      record, foreign = get(RECORDS[kind], names[kind])
      if not record then
        return foreign
      end
    end
    if kind == 'team' and record ~= '' then
      names.org = field(record, 'org')
    end
    reply[#reply + 1] = names[kind]
    reply[#reply + 1] = record
  end
  return reply
end

local time = redis.call('TIME')
local last = redis.pcall('XREVRANGE', KEYS[CHANGES], '+', '-', 'COUNT', 1)
local revision = redis.pcall('GET', KEYS[REVISION])
local reply = { time[1] * 1000000 + time[2], not last.err and last[1] and last[1][1] or '0-0',
  type(revision) == 'string' and tonumber(revision) or 0 }
for i = 1, #ARGV, 2 do
  if ARGV[i] == 'hash' then
    reply[#reply + 1] = ofHash(ARGV[i + 1])
  else
    local record, foreign = get(RECORDS[ARGV[i]], ARGV[i + 1])
    reply[#reply + 1] = foreign or { record }
  end
end
return reply
