-- The second half of exchange.lua: hands out what is wanted, tells the owner's hash, and answers.
local hungry = want
if paused == 1 or (is_serial and running_count > 0) then
  want = 0
elseif is_serial and want > 1 then
  want = 1
end
if want > 0 and (returned_count + suspect_count + ready_count) > 0 then
  local leave, stamp, entries, picked = ARGV[7] == '1', '|' .. seat .. '|' .. number .. '|' .. whole(now), {}, 0

  -- ---- Those that went back, by place: `line` is id, place, id, place, .. of `returned`, with at most one suspect.
  local line, suspect = {}, nil
  if is_serial and head ~= '' then
    local place = call('ZSCORE', returned, head)
    if not place and leave then
      place = call('ZSCORE', suspects, head)
      suspect = place and head
    end
    line = place and {head, place} or {}
  else
    if returned_count > 0 then
      line = call('ZRANGE', returned, 0, want - 1, 'WITHSCORES')
    end
    if leave and suspect_count > 0 then
      local lowest, i = call('ZRANGE', suspects, 0, 0, 'WITHSCORES'), 1
      local place = tonumber(lowest[2])
      while line[i] and (tonumber(line[i + 1]) < place or (tonumber(line[i + 1]) == place and line[i] < lowest[1])) do
        i = i + 2
      end
      if i < 2 * want then
        suspect = lowest[1]
        table.insert(line, i, lowest[2])
        table.insert(line, i, suspect)
        line[2 * want + 2], line[2 * want + 1] = nil, nil
      end
    end
  end
  if #line > 0 then
    local them, plain = {}, {}
    for i = 1, #line, 2 do
      them[#them + 1] = line[i]
      if line[i] ~= suspect then
        plain[#plain + 1] = line[i]
      end
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
    if suspect then
      call('ZREM', suspects, suspect)
      suspect_count, leave = suspect_count - 1, false
    end
  end

  if picked < want and ready_count > 0 and not (is_serial and head ~= '') then
    local left, skipped = {}, 0 -- how many entries of an id in the ready line are still to be skipped

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
          left[id] = left[id] or tonumber(counts[i] or '0')
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
          left[id] = left[id] or tonumber(counts[i] or '0')
          is_husk = left[id] > 0
          if is_husk then
            left[id], skipped = left[id] - 1, skipped + 1
          end
        end
        if records[i] and not is_husk then
          place = place + 1
          local is_suspect = times and recent(times[i], now) >= SUSPECT_AFTER
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
      call('HINCRBY', owner, 'husks', -skipped)
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
