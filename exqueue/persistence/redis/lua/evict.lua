-- Ends the lease of a holder that is provably gone. Called by Session.evict. Begins with _presence.lua.
-- KEYS  1 lease
-- ARGV  1 the lease as it was seen, 2 the presence channel of its token, 3 the run id of the server that saw it absent
-- Reply 1 | 0: the lease is another one or was renewed, somebody of that token is present, this is another run of the
--       server, or that can't be known
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local count, run = subscribers(ARGV[2])
if count ~= 0 or run ~= ARGV[3] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
