-- Who subscribes to a channel; put before each script whose header says "Begins with _presence.lua".
-- Returns how many do and the run id of the server that says so; nil where one may not ask that.
local function subscribers(channel)
  local present, info = redis.pcall('PUBSUB', 'NUMSUB', channel), redis.pcall('INFO', 'server')
  if present.err or type(info) == 'table' and info.err then
    return nil
  end
  if type(info) == 'table' then
    info = info.verbatim_string.string -- as RESP3 has it
  end
  return tonumber(present[2]), string.match(info, 'run_id:(%w+)')
end

-- What a lease ends with: "|run id" when somebody subscribes to the channel of its holder, else nothing.
local function seen_by(channel)
  local count, run = subscribers(channel)
  return run and count > 0 and '|' .. run or ''
end
