-- Ends the lease of a holder that is provably gone. Called by Session.evict.
-- KEYS  1 lease
-- ARGV  1 the lease as it was seen, 2 the presence channel of its token, 3 the run id of the server that saw it absent
-- Reply 1 | 0: the lease is another one or was renewed, somebody of that token is present, this is another run of the
--       server, or that can't be known
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local present, info = redis.pcall('PUBSUB', 'NUMSUB', ARGV[2]), redis.pcall('INFO', 'server')
if present.err or type(info) == 'table' and info.err then
  return 0
end
if type(info) == 'table' then
  info = info.verbatim_string.string -- as RESP3 has it
end
if tonumber(present[2]) ~= 0 or string.match(info, 'run_id:(%w+)') ~= ARGV[3] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
