-- Prolongs the lease if it is that of this fence, and notes in it when. Called by Session.renew.
-- Begins with _common.lua.
-- KEYS  1 lease
-- ARGV  1 "epoch|token|", 2 ttl in ms
-- Reply 1 | 0
local lease = call('GET', KEYS[1])
if not lease or string.sub(lease, 1, #ARGV[1]) ~= ARGV[1] then
  return 0
end
local node = string.match(lease, '|([^|]*)$')
call('PEXPIRE', KEYS[1], ARGV[2]) -- a first write that a full server allows, and so what follows
call('SET', KEYS[1], ARGV[1] .. whole(now_ms()) .. '|' .. node, 'PX', ARGV[2])
return 1
