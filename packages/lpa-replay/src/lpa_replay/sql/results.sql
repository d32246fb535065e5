SELECT if(result = '', outcome, result) AS result, if(result = '', why, result_reason) AS reason, count() AS records
FROM $database.replay_outcomes FINAL
WHERE replay_id = {replay_id:String}
GROUP BY result, reason
ORDER BY result, records DESC, reason
LIMIT 100
