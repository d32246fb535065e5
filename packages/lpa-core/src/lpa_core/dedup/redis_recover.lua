-- Claims keys for one source, each unless an older claim is there that is alive: what is stored came before a batch
-- that was claimed and never written.
--
-- KEYS and ARGV as in redis_claim.lua. Answers nothing.

local time, oldest_live, lifetime, source = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
for index, key in ipairs(KEYS) do
  local claim = redis.call('GET', key)
  local claimed_at = claim and tonumber(string.match(claim, '^(%d+) '))
  if not claimed_at or claimed_at > tonumber(time) or claimed_at < oldest_live then
    redis.call('SET', key, time .. ' ' .. ARGV[index + 4] .. ' ' .. source, 'PX', lifetime)
  end
end
return {}
