-- The lock and the counts of some queues. Called by Session.overview. Begins with _common.lua.
-- KEYS  1 lease, then ten a queue: jobs, recoveries, ready, returned, suspects, waiting, dead, running, owner,
--       husks
-- ARGV  none
-- Reply {now in ms, lease or nil, then an array a queue: ready, waiting, running, dead, paused 0|1, head or "",
--       head is dead 0|1, record that is next or nil, suspects, processed, failed, epoch}
local MOST_RECOVERED = 2000 -- beyond that the suspects are not counted one by one, but those that stand in line
local now = now_ms()

local function next_record(jobs, ready, returned, suspects, husks)
  local best
  for _, line in ipairs({returned, suspects}) do
    local first = call('ZRANGE', line, 0, 0, 'WITHSCORES')
    if first[1] and (not best or tonumber(first[2]) < tonumber(best[2])) then
      best = first
    end
  end
  if best then
    return call('HGET', jobs, best[1])
  end
  local line = call('LRANGE', ready, 0, 0)
  if call('EXISTS', husks) == 0 then
    return line[1] and call('HGET', jobs, line[1])
  end
  local met = {}
  for from = 0, 4500, 500 do
    line = call('LRANGE', ready, from, from + 499)
    local counts = read_all(husks, line)
    for i = 1, #line do
      met[line[i]] = (met[line[i]] or 0) + 1
      if met[line[i]] > (tonumber(counts[i]) or 0) then
        return call('HGET', jobs, line[i])
      end
    end
  end
  return false
end

local function count_suspects(recoveries, suspects)
  if call('HLEN', recoveries) > MOST_RECOVERED then
    return call('ZCARD', suspects)
  end
  local count = 0
  for _, times in ipairs(call('HVALS', recoveries)) do
    count = count + (recent(times, now) >= SUSPECT_AFTER and 1 or 0)
  end
  return count
end

local reply = {whole(now), call('GET', KEYS[1])}
for at = 2, #KEYS, 10 do
  local jobs, recoveries, ready, returned, suspects = KEYS[at], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4]
  local waiting, dead, running, owner, husks = KEYS[at + 5], KEYS[at + 6], KEYS[at + 7], KEYS[at + 8], KEYS[at + 9]
  local told = call('HMGET', owner, 'paused', 'serial', 'head', 'processed', 'failed', 'epoch', 'husks')
  for i, field in ipairs({false, false, false, 'processed', 'failed', 'epoch', 'husks'}) do
    if field and not tonumber(told[i] or '0') then
      error(DAMAGED .. owner .. '|' .. field .. '>')
    end
  end
  local head = told[2] == '1' and told[3] or ''
  local standing = call('LLEN', ready) - tonumber(told[7] or '0') + call('ZCARD', returned) + call('ZCARD', suspects)
  reply[#reply + 1] = {
    standing, call('ZCARD', waiting), call('HLEN', running), call('ZCARD', dead), told[1] == '1' and 1 or 0, head,
    head ~= '' and call('ZSCORE', dead, head) and 1 or 0,
    standing > 0 and next_record(jobs, ready, returned, suspects, husks) or false,
    count_suspects(recoveries, suspects), told[4] or '0', told[5] or '0', told[6] or '0',
  }
end
return reply
