-- One plain command, unless a node leads. Called by RedisInspector.apply. Begins with _led.lua.
-- KEYS  1 lease, 2 the key, 3 for RENAMENX: its new name
-- ARGV  1 the command, 2.. what follows the key
-- Reply 1 | {LED}
if is_led(KEYS[1]) then
  return {'LED'}
end
if KEYS[3] then
  redis.call(ARGV[1], KEYS[2], KEYS[3])
else
  redis.call(ARGV[1], KEYS[2], unpack(ARGV, 2))
end
return 1
