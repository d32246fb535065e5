SELECT count(), toUnixTimestamp(toStartOfHour(max(event_timestamp)))
FROM $raw
WHERE event_timestamp BETWEEN '2000-01-01' AND now()
