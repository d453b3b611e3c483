-- Prolongs the lease if it is that of this fence. Called by Session.renew.
-- KEYS  1 lease
-- ARGV  1 "epoch|token|", 2 ttl in ms
-- Reply 1 | 0
local lease = redis.call('GET', KEYS[1])
if not lease or string.sub(lease, 1, #ARGV[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
