-- What became of a canary's records beside what was planned for them.
SELECT toString(forecast) AS planned, toString(result) AS became, result_reason AS reason, count() AS records
FROM
(
$results
)
GROUP BY planned, became, reason
ORDER BY records DESC, planned, became, reason
SETTINGS join_use_nulls = 0
