INSERT INTO $database.replay_outcomes
$results
SETTINGS join_use_nulls = 0
