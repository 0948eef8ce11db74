-- Reads a page of identities from an index: keys newest first, others by name.
--
-- KEYS      the directory, in the order of DirectoryKeys
-- ARGV[1]   kind: key, user, team or org
-- ARGV[2]   user whose keys are read; empty: any
-- ARGV[3]   team whose keys, or members, are read; empty: any
-- ARGV[4]   organisation whose keys, or teams, are read; empty: any
-- ARGV[5]   1: only disabled keys; 0: only others; empty: any
-- ARGV[6]   beginning of the names; may be empty
-- ARGV[7]   maximum number of identities
-- ARGV[8]   name after which the page begins; empty: the first page
-- Returns   the name after which the next page begins, empty if this is the last page, and name, record and hour of the last use
--           (empty if unknown) of each identity; or FOREIGN, a key and a field: see write.lua
--
-- Of the indexes that the filters permit, the smallest is walked, and the other filters are applied to its entries. At most MOST
-- entries are examined, and MOST_READS lists read, so that the time does not depend on the number of identities: a page may have fewer than the limit, or
-- none, and be followed by others.

local MOST = 1000
local MOST_READS = 2000 -- of lists of teams: each merge reads one list per team, and may find few keys
local TYPES = { 'hash', 'hash', 'hash', 'hash', 'hash', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset', 'zset' }
local RECORDS = { key = 1, user = 2, team = 3, org = 4 }
local KEYS_BY_ID, KEYS_BY_USER, KEYS_BY_TEAM, KEYS_DISABLED = 6, 7, 8, 9
local USERS_BY_NAME, TEAMS_BY_NAME, ORGS_BY_NAME, TEAMS_BY_ORG, USERS_BY_TEAM = 10, 11, 12, 13, 14
local USED = 18
local LAST = '\255' -- after every name: UTF-8 does not have this byte

local kind, user, team, org, disabled, prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local limit, after = tonumber(ARGV[7]), ARGV[8]
local records = KEYS[RECORDS[kind]]
local descending = kind == 'key'
if string.sub(after, 1, #prefix) ~= prefix then
  after = '' -- not a name of this list
end

for i, expectedType in ipairs(TYPES) do
  local actual = redis.call('TYPE', KEYS[i]).ok
  if actual ~= 'none' and actual ~= expectedType then
    return { 'FOREIGN', KEYS[i], '' }
  end
end

local function contains(index, member)
  return redis.call('ZSCORE', KEYS[index], member) ~= false
end

-- Reads up to count names of an index; owner is the part of its members before the name, with the slash, or empty.
local function read(index, owner, from, count)
  local found
  if descending then
    local last = from == '' and '(' .. owner .. prefix .. LAST or '(' .. owner .. from
    found = redis.call('ZREVRANGEBYLEX', KEYS[index], last, '[' .. owner .. prefix, 'LIMIT', 0, count)
  else
    local first = from == '' and '[' .. owner .. prefix or '(' .. owner .. from
    found = redis.call('ZRANGEBYLEX', KEYS[index], first, '(' .. owner .. prefix .. LAST, 'LIMIT', 0, count)
  end
  for i, member in ipairs(found) do
    found[i] = string.sub(member, #owner + 1)
  end
  return found
end

-- The indexes that may be walked, with the number of their entries.
local walks = {}
local function permit(index, owner)
  local entries = owner == '' and redis.call('ZCARD', KEYS[index])
    or redis.call('ZLEXCOUNT', KEYS[index], '[' .. owner, '(' .. owner .. LAST)
  walks[#walks + 1] = { index = index, owner = owner, entries = entries }
end

local reads = 0
local orgTeams -- the teams of the organisation whose keys are read, if they are few
if kind == 'key' then
  permit(KEYS_BY_ID, '')
  if user ~= '' then
    permit(KEYS_BY_USER, user .. '/')
  end
  if team ~= '' then
    permit(KEYS_BY_TEAM, team .. '/')
  end
  if disabled == '1' then
    permit(KEYS_DISABLED, '')
  end
  if org ~= '' and user == '' and team == '' then
    local owner = org .. '/'
    if redis.call('ZLEXCOUNT', KEYS[TEAMS_BY_ORG], '[' .. owner, '(' .. owner .. LAST) <= MOST / 2 then
      orgTeams = redis.call('ZRANGEBYLEX', KEYS[TEAMS_BY_ORG], '[' .. owner, '(' .. owner .. LAST)
      for i, member in ipairs(orgTeams) do
        orgTeams[i] = string.sub(member, #owner + 1)
      end
    end
  end
elseif kind == 'user' then
  permit(team == '' and USERS_BY_NAME or USERS_BY_TEAM, team == '' and '' or team .. '/')
elseif kind == 'team' then
  permit(org == '' and TEAMS_BY_NAME or TEAMS_BY_ORG, org == '' and '' or org .. '/')
else
  permit(ORGS_BY_NAME, '')
end
table.sort(walks, function(one, other)
  return one.entries < other.entries
end)
local walk = walks[1]

-- Reads the next names; returns them, and whether there are no others.
local function candidates(from, count)
  if not orgTeams then
    local found = read(walk.index, walk.owner, from, count)
    return found, #found < count
  end
  -- Merges the keys of several teams. Of each the same number is read; what is after the end of a list that goes on is unknown.
  local each = math.max(2, math.floor(MOST / math.max(1, #orgTeams)))
  local all, known = {}, ''
  reads = reads + #orgTeams
  for _, member in ipairs(orgTeams) do
    local found = read(KEYS_BY_TEAM, member .. '/', from, each)
    for _, id in ipairs(found) do
      all[#all + 1] = id
    end
    if #found == each and found[each] > known then
      known = found[each]
    end
  end
  table.sort(all, function(one, other)
    return one > other
  end)
  local found = {}
  for _, id in ipairs(all) do
    if id < known or #found == count then
      return found, false
    end
    found[#found + 1] = id
  end
  return found, known == ''
end

local function isInOrg(stored)
  local readable, record = pcall(cjson.decode, stored)
  return readable and type(record) == 'table' and type(record.document) == 'table'
    and type(record.document.team) == 'string' and contains(TEAMS_BY_ORG, org .. '/' .. record.document.team)
end

local function passes(name)
  return kind ~= 'key'
    or (user == '' or walk.index == KEYS_BY_USER or contains(KEYS_BY_USER, user .. '/' .. name))
    and (team == '' or walk.index == KEYS_BY_TEAM or contains(KEYS_BY_TEAM, team .. '/' .. name))
    and (disabled == '' or (disabled == '1') == contains(KEYS_DISABLED, name))
end

local reply = { '' }
local examined, returned, cursor = 0, 0, after
while true do
  local count = orgTeams and MOST - examined or math.min(limit + 1, MOST - examined)
  local found, isLast = candidates(cursor, count)
  for _, name in ipairs(found) do
    if returned == limit then
      reply[1] = cursor
      return reply
    end
    examined = examined + 1
    cursor = name
    if passes(name) then
      local stored = redis.call('HGET', records, name)
      if stored and (kind ~= 'key' or org == '' or orgTeams or isInOrg(stored)) then
        local used = kind == 'key' and redis.pcall('HGET', KEYS[USED], name)
        reply[#reply + 1] = name
        reply[#reply + 1] = stored
        reply[#reply + 1] = type(used) == 'string' and used or ''
        returned = returned + 1
      end
    end
  end
  if isLast then
    return reply
  end
  if examined >= MOST or reads >= MOST_READS then
    reply[1] = cursor
    return reply
  end
end
