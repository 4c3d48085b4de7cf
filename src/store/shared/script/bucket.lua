-- What the scripts of the shared limiter have in common: time, buckets, room.
-- The embedded limiter (src/store/limiter) is the reference; here time is in
-- microseconds, because a Lua number holds whole numbers below 2^53 only.
--
-- KEYS[1] is the clock: latest time, offset, keys in all, last minute swept.
-- KEYS[2] is a hash: for each minute the keys that end in it.

local REORDER, LONGEST = 1e6, 600e6
local GROUPS, NEAR = 32, 10000
local MINUTE, MONTH = 60e6, 32 * 86400e3

local clock = {latest = 0, offset = 0, keys = 0, swept = 0, dirty = false}

local function whole(number)
  return string.format('%.0f', number)
end

-- Reads the clock: own time, and how far the reading is behind it.
local function read_time(given)
  local reading = given
  if reading == 0 then
    local t = redis.call('TIME')
    reading = t[1] * 1e6 + t[2]
  end
  local saved = redis.call('GET', KEYS[1])
  if saved then
    clock.latest, clock.offset, clock.keys, clock.swept = struct.unpack('>dddd', saved)
  end
  reading = reading + clock.offset
  local behind, lag = clock.latest - reading, 0
  if behind > REORDER then
    clock.offset = clock.offset + behind
    clock.dirty = true
  elseif behind > 0 then
    lag = behind
  end
  local now = math.max(clock.latest, reading)
  if now > clock.latest then
    clock.latest, clock.dirty = now, true
  end
  return now, lag
end

local function save_clock()
  if clock.dirty then
    redis.call('SET', KEYS[1],
      struct.pack('>dddd', clock.latest, clock.offset, clock.keys, clock.swept),
      'PX', whole(MONTH))
  end
end

-- Takes the keys whose minute is over out of the count; a bounded step.
local function sweep(now)
  local minute = math.floor(now / MINUTE)
  if clock.swept == 0 then
    clock.swept, clock.dirty = minute, true
  end
  local stop = math.min(minute - 1, clock.swept + 64)
  while clock.swept < stop do
    clock.swept, clock.dirty = clock.swept + 1, true
    local gone = redis.call('HGET', KEYS[2], whole(clock.swept))
    if gone then
      clock.keys = math.max(0, clock.keys - gone)
      redis.call('HDEL', KEYS[2], whole(clock.swept))
    end
  end
end

local function unpack_bucket(raw)
  local bucket = {groups = {}}
  local at
  bucket.full, bucket.minute, at = struct.unpack('>dI4', raw)
  while at <= #raw do
    local first, length, charges, open
    first, length, charges, open, at = struct.unpack('>dI4I4I4', raw, at)
    table.insert(bucket.groups, {first = first, last = first + length, charges = charges, open = open})
  end
  return bucket
end

local function old(group, now)
  return now - group.last > LONGEST
end

local function drop_settled(groups, now)
  while groups[1] and (groups[1].open == 0 or old(groups[1], now)) do
    table.remove(groups, 1)
  end
end

local function count_minute(minute, by)
  if minute > clock.swept then
    if redis.call('HINCRBY', KEYS[2], whole(minute), by) == by then
      -- The first of this minute: the hash may be new.
      redis.call('PEXPIRE', KEYS[2], whole(MONTH))
    end
    clock.keys, clock.dirty = math.max(0, clock.keys + by), true
  end
end

-- Writes a bucket, or deletes it if nothing would be remembered. It ends with
-- the minute it is counted in, which moves on but not back: else every charge
-- and every settling would be counted anew.
local function write_bucket(key, bucket, now)
  local left = bucket.full - now
  if #bucket.groups > 0 then left = math.max(left, LONGEST) end
  if left <= 0 then
    if bucket.minute > 0 then
      redis.call('DEL', key)
      count_minute(bucket.minute, -1)
    end
    return
  end
  local minute = math.floor((now + left) / MINUTE) + 1
  if minute > bucket.minute then
    if bucket.minute > 0 then count_minute(bucket.minute, -1) end
    count_minute(minute, 1)
    bucket.minute = minute
  end
  local parts = {struct.pack('>dI4', bucket.full, bucket.minute)}
  for _, group in ipairs(bucket.groups) do
    table.insert(parts, struct.pack('>dI4I4I4', group.first, group.last - group.first, group.charges, group.open))
  end
  local ends = math.ceil((bucket.minute * MINUTE - now) / 1000) + 1000
  redis.call('SET', key, table.concat(parts), 'PX', whole(ends))
end
