-- Notes that a node lives, and forgets some of those that did not for long or never were. Called by Session.beat.
-- KEYS  1 nodes
-- ARGV  1 node, 2 ttl in ms, 3 info
-- Reply OK
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
call('HDEL', KEYS[1], '') -- a first write that a full server allows, and so what follows
local some = call('HRANDFIELD', KEYS[1], 4, 'WITHVALUES') or {}
for i = 1, #some, 2 do
  if (tonumber(string.match(some[i + 1], '^%d+')) or 0) <= now then
    call('HDEL', KEYS[1], some[i])
  end
end
call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + tonumber(ARGV[2])) .. '|' .. ARGV[3])
return 'OK'
