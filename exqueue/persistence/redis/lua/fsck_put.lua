-- Takes a job out of wherever it stands and puts it into one line. Called by RedisInspector.apply.
-- Begins with _common.lua, _led.lua and _stamp.lua.
-- KEYS  1 lease, 2.. see _stamp.lua
-- ARGV  1 id, 2 line: ready, returned, suspects, waiting or dead, 3 its place or ms (not for ready), 4 count a
--       recovery 0|1, 5 trail or "", 6 mark or "" (one that stands is kept), 7 stamp
-- Reply 1 | 0: there is no record of it, or it is not as it was seen | {LED}
if is_led(KEYS[1]) then
  return {'LED'}
end
local id, line = ARGV[1], ARGV[2]
local entries = entries_of(2, id)
if call('HEXISTS', KEYS[2], id) == 0 or not is_as_seen(2, id, entries, ARGV[7]) then
  return 0
end
local lines = {ready = KEYS[5], returned = KEYS[6], suspects = KEYS[7], waiting = KEYS[8], dead = KEYS[9]}
entries = entries - (tonumber(call('HGET', KEYS[11], id) or '0') or 0)
call('HDEL', KEYS[10], '') -- a first write that a full server allows, and so what follows
-- Into the new place first: whatever goes wrong after that costs no job.
if line ~= 'ready' then
  call('ZADD', lines[line], ARGV[3], id)
elseif entries <= 0 then
  call('RPUSH', lines.ready, id)
  entries = 1
end
if ARGV[4] == '1' then
  call('HSET', KEYS[4], id, (recovered(call('HGET', KEYS[4], id), now_ms())))
end
if ARGV[5] ~= '' then
  call('HSET', KEYS[3], id, ARGV[5])
end
if ARGV[6] ~= '' then
  call('HSETNX', KEYS[12], id, ARGV[6])
end
for name, key in pairs(lines) do
  if name ~= line and name ~= 'ready' then
    call('ZREM', key, id)
  end
end
call('HDEL', KEYS[10], id)
-- From the end: what is to be skipped stands before.
local surplus = line == 'ready' and entries - 1 or entries
if surplus > 0 then
  call('LREM', lines.ready, -surplus, id)
end
return 1
