-- One plain command, unless a node leads. Called by RedisInspector.apply. Begins with _led.lua.
-- KEYS  1 lease, 2 the key, 3 for RENAMENX: its new name
-- ARGV  1 how many of the next are about what must still stand there: 0, or a command, what follows the key, and the
--       reply (0 where there is none); then the command, and what follows the key
-- Reply 1 | 0: something else stands there by now | {LED}
local call, about = redis.call, tonumber(ARGV[1])
if is_led(KEYS[1]) then
  return {'LED'}
end
if about > 0 then
  local stands = redis.pcall(ARGV[2], KEYS[2], unpack(ARGV, 3, about))
  if type(stands) == 'table' then
    stands = stands.ok
  end
  if (stands or '0') ~= ARGV[about + 1] then
    return 0
  end
end
if KEYS[3] then
  call(ARGV[about + 2], KEYS[2], KEYS[3])
else
  call(ARGV[about + 2], KEYS[2], unpack(ARGV, about + 3))
end
return 1
