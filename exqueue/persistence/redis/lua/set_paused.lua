-- Stops the owner from fetching, or lets it. Called by Session.set_paused.
-- KEYS  1 owner, 2 caller
-- ARGV  1 the caller's n, 2 how long it is kept in ms, 3 wake channel, 4 queue, 5 paused 0|1
-- Reply OK | {STALE}
local call = redis.call
local kept = call('GET', KEYS[2])
if kept then
  local last, n = tonumber(string.match(kept, '^%d+')), tonumber(ARGV[1])
  if n == last then
    return 'OK'
  end
  if n < last then
    return {'STALE'}
  end
end
call('HDEL', KEYS[1], '') -- a first write that a full server allows, and so what follows
call('HSET', KEYS[1], 'paused', ARGV[5])
call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return 'OK'
