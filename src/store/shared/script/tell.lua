-- Puts down what a node has counted, for all nodes to read in one order. Each
-- entry has the number after the one before it, so that a reader sees what was
-- trimmed before it came.
-- KEYS: log. ARGV: how many entries to keep, for how many milliseconds, the
-- node, then one for each thing told.

local number = 0
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if last[1] and last[1][2][1] == 'n' then number = tonumber(last[1][2][2]) end
for at = 4, #ARGV do
  number = number + 1
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    'n', string.format('%.0f', number), 'node', ARGV[3], 'told', ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #ARGV - 3
