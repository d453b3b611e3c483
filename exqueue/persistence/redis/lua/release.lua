-- Gives the lock up: ends the lease and erases the token, so that the next leadership has a new epoch.
-- Called by Session.release.
-- KEYS  1 lease, 2 fence
-- ARGV  1 epoch, 2 token, 3 wake channel, 4 the payload that says so
-- Reply 1 | 0
local call = redis.call
local lease = call('GET', KEYS[1])
local last = call('HMGET', KEYS[2], 'epoch', 'token')
local mine = ARGV[1] .. '|' .. ARGV[2] .. '|'
local holds = lease and string.sub(lease, 1, #mine) == mine
local is_last = last[1] == ARGV[1] and last[2] == ARGV[2]
if holds then
  call('DEL', KEYS[1])
end
if is_last then
  call('HDEL', KEYS[2], 'token')
end
if holds or is_last then
  redis.pcall('PUBLISH', ARGV[3], ARGV[4])
  return 1
end
return 0
