-- Probes whether Redis can decide: it must run scripts and accept writes. Fails on a replica and on a full Redis.
--
-- KEYS[1]  key of the probe

return redis.call('SET', KEYS[1], 1, 'PX', 1000)
