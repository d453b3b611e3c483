-- Settles what ended, promotes what is due and hands out what fits, in one step. Called by Session.exchange.
-- Begins with _common.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 ready, 5 returned, 6 suspects, 7 waiting, 8 dead, 9 running, 10 owner, 11 husks
-- ARGV  1 epoch, 2 token, 3 seat, 4 call, 5 want, 6 serial 0|1, 7 leave for a suspect 0|1, 8 how many settlements,
--       then the settlements, each: kind, id, run, and by its kind (each D, G, V and B has nothing more)
--       D done, G give back, V recovered, B bury, K bury and trail: trail, R retry: delay in ms,
--       T retry and trail: delay in ms, trail
-- Reply {ms until the first waiting job is due or -1, paused 0|1, suspect_waits 0|1, "refused,positions",
--       then five a job: id, run, record, trail or nil, recoveries} | {FENCED, epoch} | {STALE}
local MOST_PROMOTED = 500
local MOST_ROUNDS = 8 -- of popping, when what was popped was not handed out
local HUSKS_A_ROUND = 500

local jobs, trail, recoveries, ready, returned, suspects = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local waiting, dead, running, owner, husks = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]

local told = call('HMGET', owner, 'epoch', 'token', 'seat', 'call', 'refused', 'head', 'places', 'paused',
  'processed', 'failed', 'husks', 'serial', 'hungry', 'next_due')
if told[1] ~= ARGV[1] or told[2] ~= ARGV[2] then
  return {'FENCED', told[1] or '0'}
end
local last, number = tonumber(told[4]), tonumber(ARGV[4])
if told[3] ~= ARGV[3] or number < last or number > last + 1 then
  return {'STALE'}
end

-- ---- What is there. Everything that is written below is read here first: a key of another type raises before the
-- first write. The keys that most queues do not have are asked for together.
local now = now_ms()
local has_trail, has_recoveries, has_husks, returned_count, suspect_count = false, false, false, 0, 0
if call('EXISTS', trail, recoveries, husks, returned, suspects) > 0 then
  has_trail, has_recoveries, has_husks = call('HLEN', trail) > 0, call('HLEN', recoveries) > 0, call('HLEN', husks) > 0
  returned_count, suspect_count = call('ZCARD', returned), call('ZCARD', suspects)
end
local first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
local head, is_serial = told[6] or '', told[12] == '1'
local ids, runs, records = {}, {}, {} -- what is handed out

local function answer(due_in, refused)
  local is_waiting = suspect_count > 0 and (not is_serial or head == '' or call('ZSCORE', suspects, head)) and 1 or 0
  local reply = {due_in, told[8] == '1' and 1 or 0, is_waiting, refused}
  if #ids == 0 then
    return reply
  end
  local trails = has_trail and call('HMGET', trail, unpack(ids))
  local times = has_recoveries and call('HMGET', recoveries, unpack(ids))
  local at = 4
  for i = 1, #ids do
    reply[at + 1], reply[at + 2], reply[at + 3] = ids[i], runs[i], records[i]
    reply[at + 4] = trails and trails[i] or false
    reply[at + 5] = times and recent(times[i], now) or 0
    at = at + 5
  end
  return reply
end

local function due_in()
  return first[2] and math.max(0, tonumber(first[2]) - now) or -1
end

if number == last then
  -- The same call again: the answer is rebuilt from the runs that it stamped.
  local entries, found = call('HGETALL', running), {}
  for i = 1, #entries, 2 do
    local place, seat, stamp = string.match(entries[i + 1], '^(%d+)|(%d+)|(%d+)|')
    if seat == ARGV[3] and stamp == ARGV[4] then
      found[#found + 1] = {tonumber(place), entries[i], entries[i + 1]}
    end
  end
  table.sort(found, function(one, other) return one[1] < other[1] end)
  for i = 1, #found do
    ids[i], runs[i] = found[i][2], found[i][3]
  end
  records = read_all(jobs, ids)
  return answer(due_in(), told[5] or '')
end

local kinds, names, claims, delays, trails, at = {}, {}, {}, {}, {}, 9
for i = 1, tonumber(ARGV[8]) do
  local kind = ARGV[at]
  kinds[i], names[i], claims[i] = kind, ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  if kind == 'R' or kind == 'T' then
    delays[i] = tonumber(ARGV[at])
    at = at + 1
  end
  if kind == 'T' or kind == 'K' then
    trails[i] = ARGV[at]
    at = at + 1
  end
  if kind == 'B' or kind == 'K' then
    call('ZCARD', dead)
  end
end
local entries = #names > 0 and call('HMGET', running, unpack(names)) or {}
local running_count = call('HLEN', running)
call('HLEN', jobs)
call('LLEN', ready)

-- ---- Settle
call('HDEL', owner, '') -- a first write that a full server allows, and so what follows
local refused, done, ended, retried, buried, told_trails = {}, {}, {}, {}, {}, {}
local back, lost, settled = {}, {}, {}
for i = 1, #names do
  local id, kind = names[i], kinds[i]
  if entries[i] ~= claims[i] or settled[id] then
    refused[#refused + 1] = i - 1
  else
    settled[id] = true
    ended[#ended + 1] = id
    if kind == 'D' then
      done[#done + 1] = id
      if id == head then
        head = ''
      end
    elseif kind == 'G' or kind == 'V' then
      back[#back + 1] = id
      lost[#back] = kind == 'V'
      settled[id] = string.match(claims[i], '^%d+')
    elseif delays[i] then
      retried[#retried + 1] = whole(now + math.max(0, delays[i]))
      retried[#retried + 1] = id
    else
      buried[#buried + 1] = whole(now)
      buried[#buried + 1] = id
    end
    if trails[i] then
      told_trails[#told_trails + 1] = id
      told_trails[#told_trails + 1] = trails[i]
    end
  end
end

-- Into the line by its place; a suspect into the suspects' own. `places` has a place for each id.
local function put_back(them, places, recoveries_of)
  local plain, held = {}, {}
  for i = 1, #them do
    local line = plain
    if recoveries_of[i] >= SUSPECT_AFTER then
      line, suspect_count = held, suspect_count + 1
    else
      returned_count = returned_count + 1
    end
    line[#line + 1] = places[them[i]]
    line[#line + 1] = them[i]
  end
  write_all('ZADD', returned, plain)
  write_all('ZADD', suspects, held)
end

if #ended > 0 then
  write_all('ZADD', waiting, retried)
  write_all('ZADD', dead, buried)
  write_all('HSET', trail, told_trails)
  has_trail = has_trail or #told_trails > 0
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
    put_back(back, settled, counts)
  end
  call('HDEL', running, unpack(ended))
  running_count = running_count - #ended
  if #done > 0 then
    call('HDEL', jobs, unpack(done))
    if has_trail then
      call('HDEL', trail, unpack(done))
    end
    if has_recoveries then
      call('HDEL', recoveries, unpack(done))
    end
  end
  if #retried > 0 then
    first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  end
end

-- ---- Promote
if first[2] and tonumber(first[2]) <= now then
  local due = call('ZRANGEBYSCORE', waiting, '-inf', whole(now), 'LIMIT', 0, MOST_PROMOTED)
  local fresh = {}
  for i = 1, #due do
    if due[i] ~= head then
      fresh[#fresh + 1] = due[i]
    else
      local count = has_recoveries and recent(call('HGET', recoveries, head), now) or 0
      put_back({head}, {[head] = '0'}, {count})
    end
  end
  write_all('RPUSH', ready, fresh)
  call('ZREM', waiting, unpack(due))
  first = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
end

-- ---- Hand out
is_serial = ARGV[6] == '1'
local leave, places = ARGV[7] == '1', tonumber(told[7] or '0')
local stamp = '|' .. ARGV[3] .. '|' .. ARGV[4] .. '|' .. whole(now)
local want = tonumber(ARGV[5])
if told[8] == '1' or (is_serial and running_count > 0) then
  want = 0
elseif is_serial then
  want = math.min(want, 1)
end

local function hand_out(id, place, record)
  local i = #ids + 1
  ids[i], runs[i], records[i] = id, place .. stamp, record
end

-- Those that went back, by place: `line` is id, place, id, place, .. of `returned`, with at most one of `suspects`.
local function hand_out_returned(line, suspect)
  local them, plain = {}, {}
  for i = 1, #line, 2 do
    them[#them + 1] = line[i]
    if line[i] ~= suspect then
      plain[#plain + 1] = line[i]
    end
  end
  local found = read_all(jobs, them)
  for i = 1, #them do
    if found[i] then
      hand_out(them[i], whole(tonumber(line[2 * i])), found[i])
    end
  end
  write_all('ZREM', returned, plain)
  if suspect then
    call('ZREM', suspects, suspect)
    suspect_count, leave = suspect_count - 1, false
  end
end

local function is_ahead(one, other)
  local place, place_of_other = tonumber(one[2]), tonumber(other[2])
  return place < place_of_other or (place == place_of_other and one[1] < other[1])
end

local function from_returned()
  local line = returned_count > 0 and call('ZRANGE', returned, 0, want - 1, 'WITHSCORES') or {}
  local suspect = leave and suspect_count > 0 and call('ZRANGE', suspects, 0, 0, 'WITHSCORES')
  if not suspect then
    return hand_out_returned(line, nil)
  end
  local i = 1
  while line[i] and is_ahead({line[i], line[i + 1]}, suspect) do
    i = i + 2
  end
  if i > 2 * want then
    return hand_out_returned(line, nil)
  end
  table.insert(line, i, suspect[1])
  table.insert(line, i + 1, suspect[2])
  if #line > 2 * want then
    table.remove(line)
    table.remove(line)
  end
  hand_out_returned(line, suspect[1])
end

local function from_head()
  local place = returned_count > 0 and call('ZSCORE', returned, head)
  if place then
    return hand_out_returned({head, place}, nil)
  end
  place = leave and suspect_count > 0 and call('ZSCORE', suspects, head)
  if place then
    hand_out_returned({head, place}, head)
  end
end

local left, skipped = {}, 0 -- how many entries of an id in the ready line are still to be skipped

local function is_husk(id, count)
  left[id] = left[id] or tonumber(count or '0')
  if left[id] == 0 then
    return false
  end
  left[id], skipped = left[id] - 1, skipped + 1
  return true
end

local function trim_husks()
  for _ = 1, MOST_ROUNDS do
    local line, dropped = call('LRANGE', ready, 0, HUSKS_A_ROUND - 1), 0
    local counts = read_all(husks, line)
    while line[dropped + 1] and is_husk(line[dropped + 1], counts[dropped + 1]) do
      dropped = dropped + 1
    end
    if dropped > 0 then
      call('LTRIM', ready, dropped, -1)
    end
    if dropped < HUSKS_A_ROUND then
      return
    end
  end
end

local function from_ready()
  local held = {}
  for round = 1, MOST_ROUNDS do
    local popped = call('LPOP', ready, want - #ids) or {}
    if #popped == 0 then
      break
    end
    local found = call('HMGET', jobs, unpack(popped))
    local counts = has_husks and call('HMGET', husks, unpack(popped))
    local times = has_recoveries and call('HMGET', recoveries, unpack(popped))
    for i = 1, #popped do
      local id = popped[i]
      if not (counts and is_husk(id, counts[i])) and found[i] then
        places = places + 1
        local is_suspect = times and recent(times[i], now) >= SUSPECT_AFTER
        if is_suspect and not leave then
          held[#held + 1] = whole(places)
          held[#held + 1] = id
        else
          leave = leave and not is_suspect
          hand_out(id, whole(places), found[i])
        end
      end
    end
    if #ids == want then
      break
    end
  end
  write_all('ZADD', suspects, held)
  suspect_count = suspect_count + #held / 2
end

local is_cut_short = false
if want > 0 then
  if is_serial and head ~= '' then
    from_head()
  else
    if returned_count > 0 or (leave and suspect_count > 0) then
      from_returned()
    end
    if #ids < want then
      if has_husks then
        trim_husks()
      end
      from_ready()
      is_cut_short = #ids < want and call('LLEN', ready) > 0
    end
  end
  for id, count in pairs(left) do
    if count == 0 then
      call('HDEL', husks, id)
    else
      call('HSET', husks, id, count)
    end
  end
  if #ids > 0 then
    local entries_now = {}
    for i = 1, #ids do
      entries_now[2 * i - 1], entries_now[2 * i] = ids[i], runs[i]
    end
    write_all('HSET', running, entries_now)
    if is_serial then
      head = ids[1]
    end
  end
end

-- ---- Tell
local refusals = table.concat(refused, ',')
local news = {'call', ARGV[4]}
local function tell(field, was, is)
  if is ~= was then
    news[#news + 1] = field
    news[#news + 1] = is
  end
end
tell('refused', told[5] or '', refusals)
tell('head', told[6] or '', head)
tell('serial', told[12] or '0', ARGV[6])
tell('hungry', told[13] or '0', #ids < tonumber(ARGV[5]) and '1' or '0')
tell('next_due', told[14] or '', first[2] or '')
if places ~= tonumber(told[7] or '0') then
  tell('places', nil, whole(places))
end
if #done > 0 then
  tell('processed', nil, whole(tonumber(told[9] or '0') + #done))
end
if #retried + #buried > 0 then
  tell('failed', nil, whole(tonumber(told[10] or '0') + (#retried + #buried) / 2))
end
if skipped > 0 then
  tell('husks', nil, whole(tonumber(told[11] or '0') - skipped))
end
call('HSET', owner, unpack(news))
return answer(is_cut_short and 0 or due_in(), refusals)
