-- Takes the lock, or takes it up again. Called by Session.acquire.
-- Begins with _common.lua and _presence.lua.
-- KEYS  1 lease, 2 fence
-- ARGV  1 node, 2 token, 3 ttl in ms, 4 at_least, 5 the presence channel of the token
-- Reply {FENCE, epoch} | {HOLDER, lease}
local lease = call('GET', KEYS[1])
if lease and string.match(lease, '^%d+|([^|]*)|') ~= ARGV[2] then
  return {'HOLDER', lease}
end
local last = call('HMGET', KEYS[2], 'epoch', 'token')
local epoch, at_least = tonumber(last[1] or '0'), tonumber(ARGV[4])
if not epoch then
  error(DAMAGED .. KEYS[2] .. '|epoch>')
end
local goes_on = last[2] == ARGV[2] and epoch > at_least
if not goes_on then
  epoch = math.max(epoch, at_least) + 1
end
local number = whole(epoch)
local value = number .. '|' .. ARGV[2] .. '|' .. whole(now_ms()) .. '|' .. ARGV[1] .. seen_by(ARGV[5])
call('PERSIST', KEYS[1]) -- a first write that a full server allows, and so what follows
if not goes_on then
  call('HSET', KEYS[2], 'epoch', number, 'node', ARGV[1], 'token', ARGV[2])
end
call('SET', KEYS[1], value, 'PX', ARGV[3])
return {'FENCE', number}
