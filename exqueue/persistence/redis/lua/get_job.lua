-- One job of one queue. Called by Session.get_jobs. Begins with _common.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 waiting, 5 dead, 6 running
-- ARGV  1 id
-- Reply {state, record, trail or nil, recoveries, and by its state: due or died at in ms, run, ""} | nil
local id = ARGV[1]
local record = call('HGET', KEYS[1], id)
if not record then
  return false
end
local now, state, extra = now_ms(), 'ready', ''
for at, name in pairs({[4] = 'waiting', [5] = 'dead'}) do
  local ms = call('ZSCORE', KEYS[at], id)
  if ms then
    state, extra = name, ms
  end
end
local run = call('HGET', KEYS[6], id)
if run then
  if not string.match(run, RUN) then
    error(DAMAGED .. KEYS[6] .. '|' .. id .. '>')
  end
  state, extra = 'running', run
end
return {state, record, call('HGET', KEYS[2], id), recent(call('HGET', KEYS[3], id), now), extra}
