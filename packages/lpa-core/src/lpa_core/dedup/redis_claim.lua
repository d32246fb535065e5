-- Claims keys for one source. Answers index, claim, index, claim, ... of the keys that another position owns.
--
-- KEYS: one key per record, in record order.
-- ARGV: batch time and oldest live claim time (epoch ms), lifetime in Redis (ms), "partition topic", then one offset
-- per key. A claim reads "time offset partition topic".

local time, oldest_live, lifetime, source = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local owned = {}
for index, key in ipairs(KEYS) do
  local position = ARGV[index + 4] .. ' ' .. source
  local mine = time .. ' ' .. position
  local claim = redis.call('SET', key, mine, 'NX', 'GET', 'PX', lifetime)
  if claim then
    local claimed_at, owner = string.match(claim, '^(%d+) (.*)$')
    if tonumber(claimed_at) < oldest_live then
      redis.call('SET', key, mine, 'PX', lifetime)
    elseif owner ~= position then
      owned[#owned + 1] = index
      owned[#owned + 1] = claim
    end
  end
end
return owned
