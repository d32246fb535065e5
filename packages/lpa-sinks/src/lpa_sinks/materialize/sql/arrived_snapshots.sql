-- Snapshots that came by these rows and add something: per org, wallet or URL, and time, the snapshot before, and whether both
-- offer the same. What was stored for that time before decides too: it may have been attributed already.
-- Orchestrators that share a wallet are looked at one by one: two that are near are ambiguous, whoever was seen last. Of a URL
-- the order in which they were seen decides, and of a wallet if somebody names no other one.
WITH
    arrived AS
    (
        SELECT DISTINCT org, toUInt8(who.1) AS is_url, who.2 AS name, snapshot
        FROM
        (
            SELECT
                org,
                arrayJoin([(0, local_address), (0, orchestrator_address), (1, $url_key)]) AS who,
                event_timestamp AS snapshot
            FROM $database.network_capabilities
            WHERE $rows
        )
    ),
    nameless AS
    (
        SELECT DISTINCT org, local_address
        FROM $database.network_capabilities
        WHERE orchestrator_address = '' AND event_timestamp >= (SELECT min(snapshot) FROM arrived) - INTERVAL 1 DAY
    ),
    snapshots AS
    (
        SELECT
            org,
            toUInt8(who.1) AS is_url,
            who.2 AS name,
            if(is_url OR (org, name) IN nameless, '', canonical) AS seen,
            snapshot,
            arraySort(groupUniqArray(offer)) AS offers,
            arraySort(groupUniqArrayIf(offer, NOT came)) AS offers_before
        FROM
        (
            SELECT
                org,
                arrayJoin(arrayDistinct([(0, local_address), (0, orchestrator_address), (1, $url_key)])) AS who,
                event_timestamp AS snapshot,
                orchestrator_address AS canonical,
                cityHash64(
                    orchestrator_address, local_address, orch_uri, pipeline, model_id, ifNull(gpu_id, '')
                ) AS offer,
                $rows AS came
            FROM $database.network_capabilities
            WHERE event_timestamp >= (SELECT min(snapshot) FROM arrived) - INTERVAL 1 DAY
        )
        WHERE (org, toUInt8(who.1), who.2) IN (SELECT org, is_url, name FROM arrived)
        GROUP BY org, is_url, name, seen, snapshot
    )
SELECT
    org,
    is_url,
    name,
    toUnixTimestamp64Milli(snapshot) AS time,
    toUnixTimestamp64Milli(previous) AS previous_time,
    toUInt8(offers_before = [] AND offers = previous_offers) AS same
FROM
(
    SELECT
        org,
        is_url,
        name,
        snapshot,
        offers,
        offers_before,
        lagInFrame(snapshot) OVER before AS previous,
        lagInFrame(offers) OVER before AS previous_offers
    FROM snapshots
    WINDOW before AS
    (
        PARTITION BY org, is_url, name, seen ORDER BY snapshot ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
WHERE (org, is_url, name, snapshot) IN arrived AND offers != offers_before AND name != ''
