-- Puts down what a node has counted, for all nodes to read in one order.
-- KEYS: log. ARGV: how many entries to keep, for how many milliseconds, the
-- node, then one for each thing told.

for at = 4, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'node', ARGV[3], 'told', ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #ARGV - 3
