-- Sets or removes one field of a job. Called by RedisInspector.apply. Begins with _led.lua and _stamp.lua.
-- KEYS  1 lease, 2.. see _stamp.lua
-- ARGV  1 id, 2 stamp, 3 which hash: its position in KEYS, 4 value; "" removes the field
-- Reply 1 | 0: the job is not as it was seen | {LED}
local id, key = ARGV[1], KEYS[tonumber(ARGV[3])]
if is_led(KEYS[1]) then
  return {'LED'}
end
if not is_as_seen(2, id, ARGV[2] ~= '' and entries_of(2, id) or 0, ARGV[2]) then
  return 0
end
if ARGV[4] == '' then
  redis.call('HDEL', key, id)
else
  redis.call('HSET', key, id, ARGV[4])
end
return 1
