-- Snapshots that came by these rows and add something: per wallet and time, the snapshot before, and whether both
-- offer the same. What was stored for that time before decides too: it may have been attributed already.
WITH
    arrived AS
    (
        SELECT DISTINCT arrayJoin([local_address, orchestrator_address]) AS wallet, event_timestamp AS snapshot
        FROM $database.network_capabilities
        WHERE $rows
    ),
    snapshots AS
    (
        SELECT
            wallet,
            snapshot,
            arraySort(groupUniqArray(offer)) AS offers,
            arraySort(groupUniqArrayIf(offer, NOT came)) AS offers_before
        FROM
        (
            SELECT
                arrayJoin(arrayDistinct([local_address, orchestrator_address])) AS wallet,
                event_timestamp AS snapshot,
                cityHash64(
                    orchestrator_address, local_address, orch_uri, pipeline, model_id, ifNull(gpu_id, '')
                ) AS offer,
                $rows AS came
            FROM $database.network_capabilities
            WHERE event_timestamp >= (SELECT min(snapshot) FROM arrived) - INTERVAL 1 DAY
        )
        WHERE wallet IN (SELECT wallet FROM arrived)
        GROUP BY wallet, snapshot
    )
SELECT
    wallet,
    toUnixTimestamp64Milli(snapshot) AS time,
    toUnixTimestamp64Milli(previous) AS previous_time,
    toUInt8(offers_before = [] AND offers = previous_offers) AS same
FROM
(
    SELECT
        wallet,
        snapshot,
        offers,
        offers_before,
        lagInFrame(snapshot) OVER before AS previous,
        lagInFrame(offers) OVER before AS previous_offers
    FROM snapshots
    WINDOW before AS (PARTITION BY wallet ORDER BY snapshot ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE (wallet, snapshot) IN arrived AND offers != offers_before AND wallet != ''
