SELECT count(), toUnixTimestamp(toStartOfHour(max(event_timestamp)))
FROM $raw
WHERE event_timestamp BETWEEN '1970-01-02' AND now()
