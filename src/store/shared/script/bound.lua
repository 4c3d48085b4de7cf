-- Keeps shared clusters within their bounds: the least lately changed go first.
-- KEYS as in share.lua. ARGV: how many to keep, for how many milliseconds.

local over = redis.call('ZCARD', KEYS[2]) - ARGV[1]
if over > 0 then
  for _, field in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do
    redis.call('HDEL', KEYS[1], field)
    redis.call('ZREM', KEYS[2], field)
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
return math.max(over, 0)
