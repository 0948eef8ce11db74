-- Reads the clock of the server that holds the directory.
--
-- KEYS     the directory, in the order of DirectoryKeys
-- Returns  the time in microseconds since 1970

local time = redis.call('TIME')
return time[1] * 1000000 + time[2]
