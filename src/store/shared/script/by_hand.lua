-- Takes in what an admin said of the breaker, if it is later than what is there.
-- KEYS: the word ("stamp text"). ARGV: channel, stamp, text, milliseconds to keep it.

local known = redis.call('GET', KEYS[1])
if known and tonumber(string.match(known, '^%-?%d+')) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
redis.pcall('PUBLISH', ARGV[1], 1)
return 1
