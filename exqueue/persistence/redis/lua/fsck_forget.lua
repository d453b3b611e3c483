-- Removes what is left of an id that has no record. Called by RedisInspector.apply.
-- Begins with _led.lua and _stamp.lua.
-- KEYS  1 lease, 2.. see _stamp.lua
-- ARGV  1 id, 2 stamp
-- Reply 1 | 0: there is a record, or it is not as it was seen | {LED}
local call, id = redis.call, ARGV[1]
if is_led(KEYS[1]) then
  return {'LED'}
end
local entries = entries_of(2, id)
if call('HEXISTS', KEYS[2], id) == 1 or not is_as_seen(2, id, entries, ARGV[2]) then
  return 0
end
local surplus = entries - (tonumber(call('HGET', KEYS[11], id) or '0') or 0)
if surplus > 0 then
  call('LREM', KEYS[5], -surplus, id)
end
for i = 6, 9 do
  call('ZREM', KEYS[i], id)
end
for _, i in ipairs({3, 4, 10, 12}) do
  call('HDEL', KEYS[i], id)
end
return 1
