-- Takes in buckets from elsewhere; of one that is there, the emptier stands.
-- KEYS[3...] one for each. ARGV: time (0: the server's), then for each when it
-- is full again, by the wall clock.
-- Reply: how many are owing now.

local now = read_time(tonumber(ARGV[1]))
sweep(now)
local owing = 0
for place = 1, #KEYS - 2 do
  local key = KEYS[place + 2]
  local full = tonumber(ARGV[place + 1]) + clock.offset
  local raw = redis.call('GET', key)
  local bucket = raw and unpack_bucket(raw) or {full = 0, minute = 0, groups = {}}
  bucket.full = math.max(bucket.full, full)
  write_bucket(key, bucket, now)
  if bucket.full > now then owing = owing + 1 end
end
save_clock()
return owing
