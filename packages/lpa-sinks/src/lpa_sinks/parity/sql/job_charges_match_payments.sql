-- severity: fail
-- covers: 12
-- meaning: A byoc job costs what its charges come to, to the wei for one pixel a unit and never more; null without charges.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold
WITH (
    SELECT (
        least(min(toDate32(first_event_timestamp)), toDate32({start:DateTime('UTC')}) - 1),
        greatest(max(toDate32(last_event_timestamp)), toDate32({end:DateTime('UTC')}) + 1)
    )
    FROM livepeer_analytics.fact_jobs_versions
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
        AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
) AS days
SELECT org, job_id, charged_wei, charges.wei AS at_one_pixel_a_unit, charges.charges AS charges
FROM
(
    SELECT org, job_id, charged_wei
    FROM livepeer_analytics.fact_jobs
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')} AND first_event_timestamp >= now64(3) - INTERVAL 89 DAY
) AS fact
LEFT JOIN
(
    SELECT
        org, job_id, count() AS charges, sum(wei) AS wei,
        (org, job_id) IN (
            SELECT org, concat('byoc|', trimBoth(request_id))
            FROM livepeer_analytics.job_orchestrator_events
            WHERE subtype = 'job_orchestrator_received' AND pixels_per_unit > 1 AND event_date BETWEEN days.1 AND days.2
        ) AS by_pixels
    FROM
    (
        SELECT DISTINCT
            org, raw_event_uid, concat('byoc|', trimBoth(request_id)) AS job_id,
            toUInt256(greatest(ifNull(price_per_unit, 0), 0)) * toUInt256(greatest(ifNull(elapsed_seconds, 0), 0)) AS wei
        FROM livepeer_analytics.job_payment_events
        WHERE subtype = 'payment_compute_charged' AND price_per_unit IS NOT NULL AND elapsed_seconds IS NOT NULL
            AND trimBoth(request_id) != '' AND event_date BETWEEN days.1 AND days.2
    )
    GROUP BY org, job_id
) AS charges USING (org, job_id)
WHERE (charged_wei IS NULL) != (charges.charges = 0)
    OR toUInt256(ifNull(charged_wei, 0)) > charges.wei
    OR (NOT charges.by_pixels AND toUInt256(ifNull(charged_wei, 0)) != least(charges.wei, toUInt256('18446744073709551615')))
SETTINGS join_use_nulls = 0
