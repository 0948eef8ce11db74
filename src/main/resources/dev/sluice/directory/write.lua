-- Changes one identity: its record, its hashes, its entries in the indexes, the audit log and the stream of changes. All or nothing.
--
-- KEYS      the directory, in the order of DirectoryKeys: see TYPES
-- ARGV[1]   kind: key, user, team or org
-- ARGV[2]   name; the id of a key
-- ARGV[3]   revision that the identity must have; 0: it must not exist; -1: any, or none
-- ARGV[4]   document, a JSON object; empty: the identity is deleted
-- ARGV[5]   entry of the audit log, a JSON object; empty: none
-- ARGV[6]   hour of a key's use, in hours since 1970, which is kept unless a later one is known; empty: none
-- Returns   DONE, the new revision, the hour of a key's last use (empty if unknown), and the hashes that the key had or has, joined
--           by spaces; REVISION_MISMATCH, IN_USE or HASH_IN_USE; or FOREIGN, a key and a field (empty: the whole key)
--
-- Everything is checked before the first write, because Redis does not undo the writes of a script that fails. A value that Sluice
-- has not written is reported as FOREIGN and never deleted, because identities are stored nowhere else; except for the stream of
-- changes, which only tells readers what to read again.
--
-- Revisions are numbered by one counter, so that an identity that is created again has no revision of an earlier one, and so that
-- readers of the stream notice a missing entry. A counter that was lost goes on above the revision of the record.

local KEPT = 10000
local TYPES = { 'hash', 'hash', 'hash', 'hash', 'hash', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset',
  'stream', 'stream', 'string', 'hash' }
local RECORDS = { key = 1, user = 2, team = 3, org = 4 }
local HASHES, AUDIT, CHANGES, REVISION, USED = 5, 15, 16, 17, 18
local KEYS_BY_ID, KEYS_BY_USER, KEYS_BY_TEAM, KEYS_DISABLED = 6, 7, 8, 9
local USERS_BY_NAME, TEAMS_BY_NAME, ORGS_BY_NAME, TEAMS_BY_ORG, USERS_BY_TEAM = 10, 11, 12, 13, 14

local kind, name, expected, document = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

for i, expectedType in ipairs(TYPES) do
  local actual = redis.call('TYPE', KEYS[i]).ok
  if actual ~= 'none' and actual ~= expectedType and i == CHANGES then
    redis.call('DEL', KEYS[i]) -- readers notice that entries are missing
  elseif actual ~= 'none' and actual ~= expectedType then
    return { 'FOREIGN', KEYS[i], '' }
  end
end
local counter = redis.call('GET', KEYS[REVISION]) or '0'
if not string.find(counter, '^%d+$') or #counter > 15 then
  return { 'FOREIGN', KEYS[REVISION], '' }
end

local function text(value)
  return type(value) == 'string' and value ~= '' and value or nil
end

-- The texts in an array, or those in a field of its elements.
local function texts(values, field)
  local found = {}
  if type(values) == 'table' then
    for _, value in ipairs(values) do
      if field and type(value) == 'table' then
        value = value[field]
      end
      if text(value) then
        found[#found + 1] = value
      end
    end
  end
  return found
end

-- The members of indexes for a document: a set of index and member, joined by a space.
local function members(attributes)
  local found = {}
  if not attributes then
    return found
  end
  local function add(index, member)
    found[index .. ' ' .. member] = { index, member }
  end
  if kind == 'key' then
    add(KEYS_BY_ID, name)
    if text(attributes.user) then
      add(KEYS_BY_USER, attributes.user .. '/' .. name)
    end
    if text(attributes.team) then
      add(KEYS_BY_TEAM, attributes.team .. '/' .. name)
    end
    if attributes.disabled == true then
      add(KEYS_DISABLED, name)
    end
  elseif kind == 'user' then
    add(USERS_BY_NAME, name)
    for _, team in ipairs(texts(attributes.teams)) do
      add(USERS_BY_TEAM, team .. '/' .. name)
    end
  elseif kind == 'team' then
    add(TEAMS_BY_NAME, name)
    if text(attributes.org) then
      add(TEAMS_BY_ORG, attributes.org .. '/' .. name)
    end
  else
    add(ORGS_BY_NAME, name)
  end
  return found
end

local function any(index, owner)
  return #redis.call('ZRANGEBYLEX', KEYS[index], '[' .. owner .. '/', '(' .. owner .. '0', 'LIMIT', 0, 1) > 0
end

local records = KEYS[RECORDS[kind]]
local before, revision = nil, 0
local stored = redis.call('HGET', records, name)
if stored then
  local readable, record = pcall(cjson.decode, stored)
  if not readable or type(record) ~= 'table' or type(record.revision) ~= 'number' or type(record.document) ~= 'table' then
    return { 'FOREIGN', records, name }
  end
  before, revision = record.document, record.revision
end
if expected >= 0 and expected ~= revision or document == '' and not before then
  return { 'REVISION_MISMATCH' }
end
if document == '' and (kind == 'team' and any(KEYS_BY_TEAM, name) or kind == 'org' and any(TEAMS_BY_ORG, name)) then
  return { 'IN_USE' }
end
local after = document ~= '' and cjson.decode(document) or nil
local hashesBefore = kind == 'key' and before and texts(before.hashes, 'sha256') or {}
local hashesAfter = kind == 'key' and after and texts(after.hashes, 'sha256') or {}
for _, hash in ipairs(hashesAfter) do
  local owner = redis.call('HGET', KEYS[HASHES], hash)
  if owner and owner ~= name then
    return { 'HASH_IN_USE' }
  end
end

local nextRevision = math.max(tonumber(counter), revision) + 1
local nextText = string.format('%.0f', nextRevision)
redis.call('SET', KEYS[REVISION], nextText)
if after then
  redis.call('HSET', records, name, '{"revision":' .. nextText .. ',"document":' .. document .. '}')
else
  redis.call('HDEL', records, name)
end

local changed = {}
for _, hash in ipairs(hashesBefore) do
  redis.call('HDEL', KEYS[HASHES], hash)
  changed[#changed + 1] = hash
end
for _, hash in ipairs(hashesAfter) do
  redis.call('HSET', KEYS[HASHES], hash, name)
  changed[#changed + 1] = hash
end

local membersBefore, membersAfter = members(before), members(after)
for entry, member in pairs(membersBefore) do
  if not membersAfter[entry] then
    redis.call('ZREM', KEYS[member[1]], member[2])
  end
end
for entry, member in pairs(membersAfter) do
  if not membersBefore[entry] then
    redis.call('ZADD', KEYS[member[1]], 0, member[2])
  end
end
if kind == 'key' and not after then
  redis.call('HDEL', KEYS[USED], name)
end

if kind == 'key' and after and ARGV[6] ~= '' then
  local used = tonumber(redis.call('HGET', KEYS[USED], name) or '')
  if not used or used < tonumber(ARGV[6]) then
    redis.call('HSET', KEYS[USED], name, ARGV[6])
  end
end

if ARGV[5] ~= '' then
  redis.call('XADD', KEYS[AUDIT], 'MAXLEN', '=', KEPT, '*', 'entry', ARGV[5])
end
redis.call('XADD', KEYS[CHANGES], 'MAXLEN', '~', KEPT, '*', 'kind', kind, 'name', name, 'hashes', table.concat(changed, ' '))
return { 'DONE', nextText, kind == 'key' and redis.call('HGET', KEYS[USED], name) or '', table.concat(changed, ' ') }
