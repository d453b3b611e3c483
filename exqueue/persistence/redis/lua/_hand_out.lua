-- The second half of exchange.lua: hands out what is wanted, tells the owner's hash, and answers.
local hungry = want
if paused == 1 or (is_serial and running_count > 0) then
  want = 0
elseif is_serial and want > 1 then
  want = 1
end
if want > 0 and (returned_count + suspect_count + ready_count) > 0 then
  local leave, stamp, entries, picked = ARGV[7] == '1', '|' .. seat .. '|' .. number .. '|' .. whole(now), {}, 0
  local poison_from = tonumber(ARGV[8])

  -- ---- Those that went back, by place: `line` is id, place, id, place, .. of `returned`, with the suspects that are
  -- let go: with leave one, and all poison. `let_go` is, by id, whether it takes the leave.
  local line, let_go = {}, {}
  if is_serial and head ~= '' then
    local place = call('ZSCORE', returned, head)
    if not place and suspect_count > 0
      and (leave or (poison_from > 0 and recent(call('HGET', recoveries, head), now) >= poison_from)) then
      place = call('ZSCORE', suspects, head)
      let_go[head] = true
    end
    line = place and {head, place} or {}
  else
    if returned_count > 0 then
      line = call('ZRANGE', returned, 0, want - 1, 'WITHSCORES')
    end
    if suspect_count > 0 and (leave or poison_from > 0) then
      local held = call('ZRANGE', suspects, 0, poison_from > 0 and MOST_WEIGHED - 1 or 0, 'WITHSCORES')
      local them, plain, is_left, at_plain = {}, line, leave, 1
      for i = 1, #held, 2 do
        them[#them + 1] = held[i]
      end
      local times = poison_from > 0 and read_all(recoveries, them) or {}
      line = {}
      for i = 1, #them do
        local is_poison, place = poison_from > 0 and recent(times[i], now) >= poison_from, tonumber(held[2 * i])
        if is_poison or is_left then
          let_go[them[i]] = not is_poison
          is_left = is_left and is_poison
          while plain[at_plain] and (tonumber(plain[at_plain + 1]) < place
            or (tonumber(plain[at_plain + 1]) == place and plain[at_plain] < them[i])) do
            line[#line + 1], line[#line + 2] = plain[at_plain], plain[at_plain + 1]
            at_plain = at_plain + 2
          end
          line[#line + 1], line[#line + 2] = them[i], held[2 * i]
        end
      end
      for i = at_plain, #plain do
        line[#line + 1] = plain[i]
      end
    end
  end
  if #line > 0 then
    local them, plain, freed = {}, {}, {}
    for i = 1, math.min(#line, 2 * want), 2 do
      them[#them + 1] = line[i]
      local from = let_go[line[i]] == nil and plain or freed
      from[#from + 1] = line[i]
      leave = leave and not let_go[line[i]]
    end
    local records = call('HMGET', jobs, unpack(them))
    for i = 1, #them do
      if records[i] then
        local run = whole(tonumber(line[2 * i])) .. stamp
        picked = picked + 1
        ids[picked], entries[2 * picked - 1], entries[2 * picked] = them[i], them[i], run
        reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4], reply[at + 5] = them[i], run, records[i], false, 0
        at = at + 5
      end
    end
    write_all('ZREM', returned, plain)
    write_all('ZREM', suspects, freed)
    suspect_count = suspect_count - #freed
  end

  if picked < want and ready_count > 0 and not (is_serial and head ~= '') then
    -- How many entries of an id in the ready line are still to be skipped; none where somebody wrote nonsense, since an
    -- error would lose what was popped.
    local left, skipped = {}, 0

    -- ---- Those that are fresh; a suspect among them goes to the others of its kind unless there is leave for it.
    local place, held = last_place, {}
    for _ = 1, MOST_ROUNDS do
      -- Those at the front go in one piece: popped one by one they would use up the rounds.
      local dropped = has_husks and HUSKS_A_ROUND
      while dropped == HUSKS_A_ROUND and skipped < MOST_SKIPPED do
        local front = call('LRANGE', ready, 0, HUSKS_A_ROUND - 1)
        local counts = read_all(husks, front)
        dropped = 0
        for i = 1, #front do
          local id = front[i]
          left[id] = left[id] or tonumber(counts[i]) or 0
          if left[id] == 0 then
            break
          end
          left[id], dropped = left[id] - 1, i
        end
        if dropped > 0 then
          call('LTRIM', ready, dropped, -1)
          skipped = skipped + dropped
        end
      end
      local popped = call('LPOP', ready, want - picked)
      if not popped or #popped == 0 then
        break
      end
      local records = call('HMGET', jobs, unpack(popped))
      local counts = has_husks and call('HMGET', husks, unpack(popped))
      local times = has_recoveries and call('HMGET', recoveries, unpack(popped))
      for i = 1, #popped do
        local id, is_husk = popped[i], false
        if counts then
          left[id] = left[id] or tonumber(counts[i]) or 0
          is_husk = left[id] > 0
          if is_husk then
            left[id], skipped = left[id] - 1, skipped + 1
          end
        end
        if records[i] and not is_husk then
          place = place + 1
          local lost = times and recent(times[i], now) or 0
          local is_suspect = lost >= SUSPECT_AFTER and not (poison_from > 0 and lost >= poison_from)
          if is_suspect and not leave then
            held[#held + 1] = whole(place)
            held[#held + 1] = id
          else
            local run = whole(place) .. stamp
            leave, picked = leave and not is_suspect, picked + 1
            ids[picked], entries[2 * picked - 1], entries[2 * picked] = id, id, run
            reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4], reply[at + 5] = id, run, records[i], false, 0
            at = at + 5
          end
        end
      end
      if picked == want then
        break
      end
    end
    write_all('ZADD', suspects, held)
    suspect_count = suspect_count + #held / 2
    if skipped > 0 then
      for id, count in pairs(left) do
        if count == 0 then
          call('HDEL', husks, id)
        else
          call('HSET', husks, id, count)
        end
      end
      news[#news + 1] = 'husks'
      news[#news + 1] = whole(void - skipped)
    end
    if picked < want and call('LLEN', ready) > 0 then
      reply[1] = 0 -- the rounds were used up: once more at once
    end
    news[#news + 1] = 'places'
    news[#news + 1] = whole(place)
  end
  if picked > 0 then
    write_all('HSET', running, entries)
    if is_serial then
      head = ids[1]
    end
  end
end

-- ---- Tell
if head ~= (told[5] or '') then
  news[#news + 1] = 'head'
  news[#news + 1] = head
end
if ARGV[6] ~= (told[7] or '0') then
  news[#news + 1] = 'serial'
  news[#news + 1] = ARGV[6]
end
local is_hungry = #ids < hungry and '1' or '0'
if is_hungry ~= (told[9] or '0') then
  news[#news + 1] = 'hungry'
  news[#news + 1] = is_hungry
end
if (first[2] or '') ~= (told[10] or '') then
  news[#news + 1] = 'next_due'
  news[#news + 1] = first[2] or ''
end
call('HSET', owner, unpack(news))
return answer(is_serial)
