-- Revives dead jobs: to the end of the line, a serial head back to the head. Called by Session.retry_dead.
-- KEYS  1 dead, 2 ready, 3 returned, 4 recoveries, 5 unreported, 6 owner, 7 caller
-- ARGV  1 the caller's n, 2 how long it is kept in ms, 3 wake channel, 4 queue, 5.. ids
-- Reply "positions,of,the,revived" (from 1) | {STALE}
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

local dead, ready, returned, recoveries, unreported, owner = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local head = call('HGET', owner, 'head')
call('LLEN', ready) -- these raise before the first write if a key is of another type
call('ZCARD', returned)
call('HLEN', recoveries)
call('HLEN', unreported)
local positions, revived, fresh, seen = {}, {}, {}, {}
for i = 5, #ARGV do
  local id = ARGV[i]
  if not seen[id] and call('ZSCORE', dead, id) then
    seen[id] = true
    positions[#positions + 1] = i - 4
    revived[#revived + 1] = id
    if id ~= head then
      fresh[#fresh + 1] = id
    end
  end
end
local reply = table.concat(positions, ',')
call('HDEL', owner, '') -- a first write that a full server allows, and so what follows
if #fresh > 0 then
  call('RPUSH', ready, unpack(fresh))
end
if #fresh < #revived then
  call('ZADD', returned, 0, head)
end
if #revived > 0 then
  call('HDEL', recoveries, unpack(revived))
  call('HDEL', unreported, unpack(revived))
  call('ZREM', dead, unpack(revived))
end
call('SET', KEYS[7], ARGV[1] .. '|' .. reply, 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return reply
