-- Ends the lease of a holder that is provably gone. Called by Session.evict.
-- KEYS  1 lease
-- ARGV  1 the lease as it was seen, 2 the presence channel of its token
-- Reply 1 | 0: the lease is another one, somebody of that token is present, or that can't be known
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local present = redis.pcall('PUBSUB', 'NUMSUB', ARGV[2])
if present.err or tonumber(present[2]) ~= 0 then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
