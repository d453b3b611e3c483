-- Prolongs the lease if it is that of this fence, and notes in it when, and whether its holder is seen.
-- Called by Session.renew. Begins with _common.lua and _presence.lua.
-- KEYS  1 lease
-- ARGV  1 "epoch|token|", 2 ttl in ms, 3 the presence channel of the token
-- Reply 1 | 0
local lease = call('GET', KEYS[1])
if not lease or string.sub(lease, 1, #ARGV[1]) ~= ARGV[1] then
  return 0
end
local node = string.match(lease, '^[^|]*|([^|]*)', #ARGV[1] + 1)
local value = ARGV[1] .. whole(now_ms()) .. '|' .. node .. seen_by(ARGV[3])
call('PEXPIRE', KEYS[1], ARGV[2]) -- a first write that a full server allows, and so what follows
call('SET', KEYS[1], value, 'PX', ARGV[2])
return 1
