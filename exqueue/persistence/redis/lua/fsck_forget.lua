-- Removes what is left of an id that has no record. Called by RedisInspector.apply. Begins with _led.lua.
-- KEYS  1 lease, 2 jobs, 3 ready, 4 husks, then four sorted sets, then four hashes
-- ARGV  1 id
-- Reply 1 | 0: there is a record | {LED}
local call, id = redis.call, ARGV[1]
if is_led(KEYS[1]) then
  return {'LED'}
end
if call('HEXISTS', KEYS[2], id) == 1 then
  return 0
end
local surplus = #call('LPOS', KEYS[3], id, 'COUNT', 0) - (tonumber(call('HGET', KEYS[4], id) or '0') or 0)
if surplus > 0 then
  call('LREM', KEYS[3], -surplus, id)
end
for i = 5, 8 do
  call('ZREM', KEYS[i], id)
end
for i = 9, 12 do
  call('HDEL', KEYS[i], id)
end
return 1
