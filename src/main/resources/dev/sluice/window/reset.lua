-- Forgets windows, and takes them off the index of their identifier, at once: a decision comes before or after.
--
-- KEYS[1]    index of the identifier's windows
-- KEYS[i+1]  window i
-- KEYS[...]  reservations of the identifier: what they took of these windows is forgotten with them
-- ARGV[i]    the window's name in the index

for i = 1, #ARGV do
  redis.call('DEL', KEYS[i + 1])
  redis.call('ZREM', KEYS[1], ARGV[i])
end
for i = #ARGV + 2, #KEYS do
  redis.call('HDEL', KEYS[i], unpack(ARGV))
end
return #ARGV
