-- Whether decisions can be made: scripts may run, and write. Refused by a replica and by a full Redis.
--
-- KEYS[1]  a key of the probe's own

return redis.call('SET', KEYS[1], 1, 'PX', 1000)
