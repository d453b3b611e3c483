-- Removes a job that does not run; a serial head is cleared. Called by Session.cancel.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 returned, 5 suspects, 6 waiting, 7 dead, 8 running, 9 owner, 10 husks,
--       11 unreported, 12 caller
-- ARGV  1 the caller's n, 2 how long it is kept in ms, 3 wake channel, 4 queue, 5 id
-- Reply the state it was in, "" when it is not there | {STALE}
local call = redis.call
local kept = call('GET', KEYS[12])
if kept then
  local last, reply = string.match(kept, '^(%d+)|?(.*)$')
  if tonumber(ARGV[1]) == tonumber(last) then
    return reply
  end
  if tonumber(ARGV[1]) < tonumber(last) then
    return {'STALE'}
  end
end

local jobs, running, owner, husks, id = KEYS[1], KEYS[8], KEYS[9], KEYS[10], ARGV[5]
for _, key in ipairs({KEYS[2], KEYS[3], husks, KEYS[11]}) do
  call('HLEN', key) -- raises before the first write if the key is of another type
end
local told = call('HMGET', owner, 'head', 'husks')
local state, line = '', nil
if call('HEXISTS', jobs, id) == 1 then
  state = call('HEXISTS', running, id) == 1 and 'running' or 'ready'
  for at, name in pairs({[4] = 'ready', [5] = 'ready', [6] = 'waiting', [7] = 'dead'}) do
    if call('ZSCORE', KEYS[at], id) then
      state, line = name, KEYS[at]
    end
  end
end

call('HDEL', owner, '') -- a first write that a full server allows, and so what follows
if state ~= '' and state ~= 'running' then
  if line then
    call('ZREM', line, id)
  else
    -- Its entry in the ready line stays and is skipped when it is met: finding it would take 10 ms in a long line.
    call('HINCRBY', husks, id, 1)
    call('HSET', owner, 'husks', string.format('%.0f', tonumber(told[2] or '0') + 1))
  end
  call('HDEL', jobs, id)
  call('HDEL', KEYS[2], id)
  call('HDEL', KEYS[3], id)
  call('HDEL', KEYS[11], id)
  if told[1] == id then
    call('HSET', owner, 'head', '')
  end
end
call('SET', KEYS[12], ARGV[1] .. '|' .. state, 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return state
