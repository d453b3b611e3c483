-- Takes a queue over, or a new seat under the same fence. Called by Session.claim. Begins with _common.lua.
-- KEYS  1 owner, 2 running, 3 returned, 4 suspects, 5 recoveries
-- ARGV  1 epoch, 2 token, 3 seat
-- Reply {last call, id, run, id, run, ..} | {FENCED, epoch} | {STALE}
local owner, running, returned, suspects, recoveries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local told = call('HMGET', owner, 'epoch', 'token', 'seat', 'call')
local epoch, held = tonumber(ARGV[1]), tonumber(told[1] or '0')
for i, field in ipairs({'epoch', false, 'seat', 'call'}) do
  if field and not tonumber(told[i] or '0') then
    error(DAMAGED .. owner .. '|' .. field .. '>')
  end
end
local is_same = told[1] and epoch == held and told[2] == ARGV[2]
if told[1] and not is_same and epoch <= held then
  return {'FENCED', told[1]}
end
local runs = call('HGETALL', running)
for i = 1, #runs, 2 do
  if not string.match(runs[i + 1], RUN) then
    error(DAMAGED .. running .. '|' .. runs[i] .. '>')
  end
end

if is_same then
  local seat, mine = tonumber(ARGV[3]), tonumber(told[3])
  if seat > 0 and seat < mine then
    return {'STALE'}
  end
  if seat > mine then
    call('HDEL', owner, 'hungry', 'next_due', 'refused')
    call('HSET', owner, 'seat', ARGV[3], 'call', '0')
    told[4] = '0'
  end
  local reply = {tonumber(told[4])}
  for i = 1, #runs do
    reply[i + 1] = runs[i]
  end
  return reply
end

-- Another leadership: whatever ran is put back by its place.
local now, ids = now_ms(), {}
for i = 1, #runs, 2 do
  ids[#ids + 1] = runs[i]
end
call('ZCARD', returned) -- these raise before the first write if a key is of another type
call('ZCARD', suspects)
call('HLEN', recoveries)
local times = read_all(recoveries, ids)
local back, held_back, lost = {}, {}, {}
for i = 1, #ids do
  local kept, count = recovered(times[i], now)
  lost[#lost + 1] = ids[i]
  lost[#lost + 1] = kept
  local line = count >= SUSPECT_AFTER and held_back or back
  line[#line + 1] = string.match(runs[2 * i], '^%d+')
  line[#line + 1] = ids[i]
end
call('HDEL', owner, 'hungry', 'next_due', 'refused') -- a first write that a full server allows, and so what follows
write_all('ZADD', returned, back)
write_all('ZADD', suspects, held_back)
write_all('HSET', recoveries, lost)
call('HSET', owner, 'epoch', ARGV[1], 'token', ARGV[2], 'seat', ARGV[3], 'call', '0')
call('DEL', running)
return {0}
