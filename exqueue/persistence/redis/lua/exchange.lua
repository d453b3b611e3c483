-- Settles what ended, promotes what is due and hands out what fits, in one step. Called by Session.exchange.
-- Begins with _common.lua. Goes on in _hand_out.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 ready, 5 returned, 6 suspects, 7 waiting, 8 dead, 9 running,
--       10 owner, 11 husks, 12 unreported
-- ARGV  1 epoch, 2 token, 3 seat, 4 call, 5 want, 6 serial 0|1, 7 leave for a suspect 0|1,
--       8 from how many recoveries on a suspect is poison, which needs no leave, or 0, 9 how many settlements,
--       then the settlements, each: kind, id, run, and by its kind (D, G, V and B have nothing more)
--       D done, G give back, V recovered, B bury, K bury and trail: trail, R retry: delay in ms,
--       T retry and trail: delay in ms, trail
-- Reply {ms until the first waiting job is due or -1, paused 0|1, suspect_waits 0|1, "refused,positions",
--       then five a job: id, run, record, trail or nil, recoveries} | {FENCED, epoch} | {STALE}
--
-- The one script that runs once a turn. It is long and has few functions because making one costs 0.2 us each time;
-- what is rare stands in blocks that are rarely entered.
local MOST_PROMOTED = 500
local MOST_ROUNDS = 8 -- of popping, when what was popped was not handed out
local HUSKS_A_ROUND, MOST_SKIPPED = 500, 4000
local MOST_WEIGHED = 100 -- suspects that are looked at for poison

local jobs, trail, recoveries, ready, returned, suspects = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local waiting, dead, running, owner, husks, unreported = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local seat, number, want, settlements = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[9])

local told = call('HMGET', owner, 'epoch', 'token', 'seat', 'call', 'head', 'paused', 'serial', 'places', 'hungry',
  'next_due', 'processed', 'failed', 'husks')
local last, last_place = tonumber(told[4] or '0'), tonumber(told[8] or '0')
local processed, all_failed, void = tonumber(told[11] or '0'), tonumber(told[12] or '0'), tonumber(told[13] or '0')
if not (last and last_place and processed and all_failed and void and tonumber(told[1] or '0')) then
  local wrong = not last and 'call' or not last_place and 'places' or not processed and 'processed'
    or not all_failed and 'failed' or not void and 'husks' or 'epoch'
  error(DAMAGED .. owner .. '|' .. wrong .. '>')
end
if told[1] ~= ARGV[1] or told[2] ~= ARGV[2] then
  return {'FENCED', told[1] or '0'}
end
local step = tonumber(number) - last
if told[3] ~= seat or step < 0 or step > 1 then
  return {'STALE'}
end
local head, paused, is_serial = told[5] or '', told[6] == '1' and 1 or 0, ARGV[6] == '1'

-- ---- What is there. What is written below is read here first: a key of another type raises before the first write.
-- The keys that most queues do not have are asked for together.
local now = now_ms()
local has_trail, has_recoveries, has_husks, returned_count, suspect_count = false, false, false, 0, 0
if call('EXISTS', trail, recoveries, husks, returned, suspects) > 0 then
  has_trail, has_recoveries, has_husks = call('HLEN', trail) > 0, call('HLEN', recoveries) > 0, call('HLEN', husks) > 0
  returned_count, suspect_count = call('ZCARD', returned), call('ZCARD', suspects)
end
local first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
local ids, reply, at = {}, {-1, paused, 0, ''}, 4 -- what is handed out; `at` is where the reply ends

-- Completes the reply.
local function answer(serial)
  if first[2] and reply[1] < 0 then
    reply[1] = math.max(0, tonumber(first[2]) - now)
  end
  if suspect_count > 0 and (not serial or head == '' or call('ZSCORE', suspects, head)) then
    reply[3] = 1
  end
  if has_trail and #ids > 0 then
    local trails = call('HMGET', trail, unpack(ids))
    for i = 1, #ids do
      reply[5 * i + 3] = trails[i]
    end
  end
  if has_recoveries and #ids > 0 then
    local times = call('HMGET', recoveries, unpack(ids))
    for i = 1, #ids do
      reply[5 * i + 4] = recent(times[i], now)
    end
  end
  return reply
end

if step == 0 then
  -- The same call again: the answer is rebuilt from the runs that it stamped.
  local entries, found = call('HGETALL', running), {}
  for i = 1, #entries, 2 do
    local place, of_seat, of_call = string.match(entries[i + 1], '^(%d+)|(%d+)|(%d+)|')
    if of_seat == seat and of_call == number then
      found[#found + 1] = {tonumber(place), entries[i], entries[i + 1]}
    end
  end
  table.sort(found, function(one, other) return one[1] < other[1] end)
  for i = 1, #found do
    ids[i] = found[i][2]
  end
  local records = read_all(jobs, ids)
  for i = 1, #found do
    local run = found[i][3]
    reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4], reply[at + 5] = ids[i], run, records[i], false, 0
    at = at + 5
  end
  local of_call, refused = string.match(call('HGET', owner, 'refused') or '', '^(%d+):(.*)$')
  reply[4] = of_call == number and refused or ''
  return answer(told[7] == '1')
end

local running_count = 0
if is_serial or settlements == 0 then
  running_count = call('HLEN', running)
end
if settlements > 0 or want > 0 then
  call('HLEN', jobs)
end
local ready_count = call('LLEN', ready)
local news = {'call', number} -- for the owner

-- Into the line by its place; a suspect into the suspects' own. `places` has the place of each.
local function put_back(them, places, recoveries_of)
  local plain, held = {}, {}
  for i = 1, #them do
    local line = recoveries_of[i] >= SUSPECT_AFTER and held or plain
    line[#line + 1] = places[i]
    line[#line + 1] = them[i]
  end
  write_all('ZADD', returned, plain)
  write_all('ZADD', suspects, held)
  returned_count, suspect_count = returned_count + #plain / 2, suspect_count + #held / 2
end

-- ---- Settle
if settlements == 0 then
  call('HDEL', owner, '') -- a first write that a full server allows, and so what follows
else
  local names, from = {}, 10
  for i = 1, settlements do
    local kind = ARGV[from]
    names[i] = ARGV[from + 1]
    from = from + (kind == 'T' and 5 or (kind == 'R' or kind == 'K') and 4 or 3)
    if kind == 'B' or kind == 'K' then
      call('ZCARD', dead)
      call('HLEN', unreported)
    end
  end
  local entries = call('HMGET', running, unpack(names))
  call('HDEL', owner, '') -- as above

  local refused, done, ended, settled, ended_count, done_count = {}, {}, {}, {}, 0, 0
  local retried, buried, marks, trails, back, places, lost, failed = {}, {}, {}, {}, {}, {}, {}, 0
  from = 10
  for i = 1, settlements do
    local id, kind = names[i], ARGV[from]
    if entries[i] ~= ARGV[from + 2] or settled[id] then
      refused[#refused + 1] = i - 1
    else
      settled[id], ended_count = true, ended_count + 1
      ended[ended_count] = id
      if kind == 'D' then
        done_count = done_count + 1
        done[done_count] = id
        if id == head then
          head = ''
        end
      elseif kind == 'G' or kind == 'V' then
        back[#back + 1] = id
        places[#back], lost[#back] = string.match(entries[i], '^%d+'), kind == 'V'
      else
        local detail = from + 3
        if kind == 'R' or kind == 'T' then
          retried[#retried + 1] = whole(now + math.max(0, tonumber(ARGV[detail])))
          retried[#retried + 1] = id
          detail = detail + 1
        else
          buried[#buried + 1] = whole(now)
          buried[#buried + 1] = id
          marks[#marks + 1] = id
          marks[#marks + 1] = entries[i]
        end
        failed = kind == 'R' and failed or failed + 1 -- without a trail nothing failed: the run was postponed
        if kind == 'T' or kind == 'K' then
          trails[#trails + 1] = id
          trails[#trails + 1] = ARGV[detail]
        end
      end
    end
    from = from + (kind == 'T' and 5 or (kind == 'R' or kind == 'K') and 4 or 3)
  end

  if #retried + #buried > 0 then
    write_all('ZADD', waiting, retried)
    write_all('HSET', unreported, marks)
    write_all('ZADD', dead, buried)
    write_all('HSET', trail, trails)
    news[#news + 1] = 'failed'
    news[#news + 1] = whole(all_failed + failed)
    has_trail = has_trail or #trails > 0
    first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  end
  if #back > 0 then
    local times, counts, noted = has_recoveries and read_all(recoveries, back) or {}, {}, {}
    for i = 1, #back do
      if lost[i] then
        noted[#noted + 1] = back[i]
        noted[#noted + 1], counts[i] = recovered(times[i], now)
      else
        counts[i] = recent(times[i], now)
      end
    end
    write_all('HSET', recoveries, noted)
    has_recoveries = has_recoveries or #noted > 0
    put_back(back, places, counts)
  end
  if ended_count > 0 then
    call('HDEL', running, unpack(ended))
    running_count = running_count - ended_count
  end
  if done_count > 0 then
    call('HDEL', jobs, unpack(done))
    news[#news + 1] = 'processed'
    news[#news + 1] = whole(processed + done_count)
    if has_trail then
      call('HDEL', trail, unpack(done))
    end
    if has_recoveries then
      call('HDEL', recoveries, unpack(done))
    end
  end
  if #refused > 0 then
    reply[4] = table.concat(refused, ',')
    news[#news + 1] = 'refused'
    news[#news + 1] = number .. ':' .. reply[4]
  end
end

-- ---- Promote
if first[2] and tonumber(first[2]) <= now then
  local due, fresh = call('ZRANGEBYSCORE', waiting, '-inf', whole(now), 'LIMIT', 0, MOST_PROMOTED), {}
  for i = 1, #due do
    if due[i] ~= head then
      fresh[#fresh + 1] = due[i]
    else
      put_back({head}, {'0'}, {has_recoveries and recent(call('HGET', recoveries, head), now) or 0})
    end
  end
  write_all('RPUSH', ready, fresh)
  call('ZREM', waiting, unpack(due))
  ready_count = ready_count + #fresh
  first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
end
