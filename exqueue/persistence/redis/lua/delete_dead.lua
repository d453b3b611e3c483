-- Deletes dead jobs; a serial head is cleared. Called by Session.delete_dead.
-- KEYS  1 dead, 2 jobs, 3 trail, 4 recoveries, 5 unreported, 6 owner, 7 caller
-- ARGV  1 the caller's n, 2 how long it is kept in ms, 3 wake channel, 4 queue, 5.. ids
-- Reply "positions,of,the,deleted" (from 1) | {STALE}
local call = redis.call
local kept = call('GET', KEYS[7])
if kept then
  local last, reply = string.match(kept, '^(%d+)|?(.*)$')
  if tonumber(ARGV[1]) == tonumber(last) then
    return reply
  end
  if tonumber(ARGV[1]) < tonumber(last) then
    return {'STALE'}
  end
end

local dead, owner = KEYS[1], KEYS[6]
local head = call('HGET', owner, 'head')
for i = 2, 5 do
  call('HLEN', KEYS[i]) -- raises before the first write if the key is of another type
end
local positions, deleted, seen = {}, {}, {}
for i = 5, #ARGV do
  local id = ARGV[i]
  if not seen[id] and call('ZSCORE', dead, id) then
    seen[id] = true
    positions[#positions + 1] = i - 4
    deleted[#deleted + 1] = id
  end
end
local reply = table.concat(positions, ',')
call('HDEL', owner, '') -- a first write that a full server allows, and so what follows
if #deleted > 0 then
  call('ZREM', dead, unpack(deleted))
  for i = 2, 5 do
    call('HDEL', KEYS[i], unpack(deleted))
  end
end
if head and seen[head] then
  call('HSET', owner, 'head', '')
end
call('SET', KEYS[7], ARGV[1] .. '|' .. reply, 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return reply
