-- Has the next leadership begin after an epoch. Called by RedisInspector.apply. Begins with _led.lua.
-- KEYS  1 lease, 2 fence
-- ARGV  1 epoch, 2 the highest that a fence can have
-- Reply 1 | 0: it would anyway, since somebody led meanwhile | {LED}
if is_led(KEYS[1]) then
  return {'LED'}
end
local stands = redis.call('HGET', KEYS[2], 'epoch') or '0'
local last = string.match(stands, '^%d+$') and tonumber(stands)
if last and last > tonumber(ARGV[1]) and last <= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
redis.call('HDEL', KEYS[2], 'token')
return 1
