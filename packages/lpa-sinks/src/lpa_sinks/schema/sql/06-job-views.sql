-- What consumers read of batch and BYOC jobs: demand, use of language models, authorisation, payments, workers; and what signed
-- tickets cost. For ClickHouse 24.11 and later, and for chDB. Every statement may be run again.
--
-- All views
-- * tell orgs apart: org is in every key.
-- * have hours from 2000 to 2299, as those of sessions, and divide by nothing: a ratio whose denominator is 0 is null.
-- * have columns that add up over rows, but for ratios and distinct counts.

-- One row per org and job: what it counts as. From fact_jobs.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_job_outcomes
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour in which the job was received, else completed',
    org LowCardinality(String),
    job_id String COMMENT 'as in fact_jobs',
    gateway String,
    job_type LowCardinality(String) COMMENT 'ai_batch or byoc',
    pipeline String COMMENT 'of batch jobs; the capability of BYOC jobs',
    model_id String COMMENT 'empty: not known',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    success UInt8 COMMENT '1: it ended well',
    failed UInt8 COMMENT '1: it ended in an error',
    stream_failed UInt8 COMMENT '1: the answer began, and ended in an error',
    no_orchestrator UInt8 COMMENT '1: no orchestrator was found',
    lost UInt8 COMMENT '1: open for more than an hour',
    selected UInt8 COMMENT '1: an orchestrator was selected',
    duration_ms Nullable(Int64) COMMENT 'milliseconds',
    charged_wei Nullable(UInt64) COMMENT 'wei'
)
AS SELECT
    toStartOfInterval(assumeNotNull(coalesce(job.received_at, job.completed_at)), INTERVAL 3600000 MILLISECOND)
        AS window_start,
    job.org AS org,
    job.job_id AS job_id,
    job.gateway AS gateway,
    job.job_type AS job_type,
    if(job.job_type = 'byoc', job.capability, job.pipeline) AS pipeline,
    job.model_id AS model_id,
    job.orchestrator_address AS orchestrator_address,
    job.outcome = 'success' AS success,
    job.outcome = 'failed' AS failed,
    job.outcome = 'stream_failed' AS stream_failed,
    job.outcome = 'no_orchestrator' AS no_orchestrator,
    job.outcome = 'open' AND ifNull(job.received_at < now64(3) - INTERVAL 1 HOUR, 0) AS lost,
    job.selection_outcome = 'selected' AS selected,
    job.duration_ms AS duration_ms,
    job.charged_wei AS charged_wei
FROM livepeer_analytics.fact_jobs_versions AS job FINAL
WHERE window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC');

-- One row per hour, org, gateway, job type, pipeline or capability, model and orchestrator. From v_job_outcomes; discoveries that found
-- nobody are from job_gateway_events, and have rows without model and orchestrator.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_job_demand
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour in which the job was received, else completed',
    org LowCardinality(String),
    gateway String,
    job_type LowCardinality(String) COMMENT 'ai_batch or byoc',
    pipeline String COMMENT 'of batch jobs; the capability of BYOC jobs',
    model_id String COMMENT 'empty: not known',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    jobs UInt64,
    success UInt64,
    failed UInt64,
    stream_failed UInt64 COMMENT 'the answer began, and ended in an error',
    no_orchestrator UInt64,
    lost UInt64 COMMENT 'open for more than an hour; those that are open for less are in jobs only',
    selected UInt64 COMMENT 'an orchestrator was selected',
    duration_ms_sum Int64 COMMENT 'milliseconds',
    duration_samples UInt64 COMMENT 'jobs with a duration',
    charged_wei UInt256 COMMENT 'wei',
    discovery_failures UInt64 COMMENT 'of BYOC jobs, whether or not they came to be'
)
AS SELECT
    window_start,
    org,
    gateway,
    job_type,
    pipeline,
    model_id,
    orchestrator_address,
    countIf(is_job) AS jobs,
    sum(told.success) AS success,
    sum(told.failed) AS failed,
    sum(told.stream_failed) AS stream_failed,
    sum(told.no_orchestrator) AS no_orchestrator,
    sum(told.lost) AS lost,
    sum(told.selected) AS selected,
    sum(ifNull(told.duration_ms, 0)) AS duration_ms_sum,
    count(told.duration_ms) AS duration_samples,
    sum(toUInt256(ifNull(told.charged_wei, 0))) AS charged_wei,
    countIf(NOT is_job) AS discovery_failures
FROM
(
    SELECT
        window_start, org, gateway, job_type, pipeline, model_id, orchestrator_address, success, failed, stream_failed,
        no_orchestrator, lost, selected, duration_ms, charged_wei, 1 AS is_job
    FROM livepeer_analytics.v_job_outcomes
    UNION ALL
    SELECT
        toStartOfInterval(event_timestamp, INTERVAL 3600000 MILLISECOND), org, gateway, 'byoc', capability, '', '',
        0, 0, 0, 0, 0, 0, NULL, NULL, 0
    FROM livepeer_analytics.job_gateway_events AS discovery
    WHERE subtype = 'job_orchestrator_discovery_result' AND (discovery.success = 0 OR discovery.selected = 0)
        AND event_timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
) AS told
GROUP BY window_start, org, gateway, job_type, pipeline, model_id, orchestrator_address;

-- One row per hour, org, model and orchestrator with an answer of a language model. From fact_jobs.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_llm_usage
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour in which the request was received, else completed',
    org LowCardinality(String),
    model_id String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    requests UInt64 COMMENT 'that were answered, whether or not to the end',
    prompt_tokens_sum Int64,
    completion_tokens_sum Int64,
    total_tokens_sum Int64,
    tokens_per_second Nullable(Float64) COMMENT 'completion tokens by seconds, of requests that have both',
    ttft_ms_sum Int64 COMMENT 'milliseconds to the first token',
    ttft_samples UInt64 COMMENT 'requests with a time to the first token'
)
AS SELECT
    toStartOfInterval(assumeNotNull(coalesce(job.received_at, job.completed_at)), INTERVAL 3600000 MILLISECOND)
        AS window_start,
    job.org AS org,
    job.model_id AS model_id,
    job.orchestrator_address AS orchestrator_address,
    count() AS requests,
    sum(ifNull(job.prompt_tokens, 0)) AS prompt_tokens_sum,
    sum(ifNull(job.completion_tokens, 0)) AS completion_tokens_sum,
    sum(ifNull(job.total_tokens, 0)) AS total_tokens_sum,
    1000 * sumIf(ifNull(job.completion_tokens, 0), job.duration_ms IS NOT NULL)
        / nullIf(sumIf(ifNull(job.duration_ms, 0), job.completion_tokens IS NOT NULL), 0) AS tokens_per_second,
    sum(ifNull(job.ttft_ms, 0)) AS ttft_ms_sum,
    countIf(job.ttft_ms IS NOT NULL) AS ttft_samples
FROM livepeer_analytics.fact_jobs AS job
WHERE job.job_type = 'ai_batch'
    AND (
        job.finish_reason != '' OR job.prompt_tokens IS NOT NULL OR job.completion_tokens IS NOT NULL
        OR job.total_tokens IS NOT NULL OR job.ttft_ms IS NOT NULL
    )
    AND window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
GROUP BY window_start, org, model_id, orchestrator_address;

-- One row per hour, org, capability and kind of authorisation of BYOC jobs. From job_auth_events.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_job_auth
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the events',
    org LowCardinality(String),
    capability String,
    subtype LowCardinality(String) COMMENT 'job_auth_webhook_result or job_credential_verify_result',
    events UInt64,
    success UInt64,
    failure UInt64
)
AS SELECT
    toStartOfInterval(event_timestamp, INTERVAL 3600000 MILLISECOND) AS window_start,
    org,
    capability,
    subtype,
    count() AS events,
    countIf(auth.success = 1) AS success,
    countIf(auth.success = 0) AS failure
FROM livepeer_analytics.job_auth_events AS auth
WHERE window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
GROUP BY window_start, org, capability, subtype;

-- One row per hour, org, capability and kind of payment of BYOC jobs. From job_payment_events; pixels per unit are those that
-- the orchestrator took the job for, in job_orchestrator_events.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_job_payments
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the events',
    org LowCardinality(String),
    capability String,
    subtype LowCardinality(String) COMMENT 'such as payment_created or payment_compute_charged',
    events UInt64,
    with_tickets UInt64 COMMENT 'events that came with tickets',
    charged_wei UInt256 COMMENT 'wei: price by seconds, by pixels per unit, each charge rounded down; also of jobs without a request_id',
    orchestrators UInt64 COMMENT 'distinct wallets: they do not add up'
)
AS SELECT
    toStartOfInterval(payment.event_timestamp, INTERVAL 3600000 MILLISECOND) AS window_start,
    payment.org AS org,
    payment.capability AS capability,
    payment.subtype AS subtype,
    count() AS events,
    countIf(payment.with_tickets = 1) AS with_tickets,
    sumIf(
        intDiv(
            toUInt256(greatest(ifNull(payment.price_per_unit, 0), 0))
                * toUInt256(greatest(ifNull(payment.elapsed_seconds, 0), 0)),
            toUInt256(greatest(accepted.pixels, 1))
        ),
        payment.subtype = 'payment_compute_charged'
    ) AS charged_wei,
    uniqExactIf(payment.orchestrator_address, payment.orchestrator_address != '') AS orchestrators
FROM
(
    SELECT *, trimBoth(request_id) AS request
    FROM livepeer_analytics.job_payment_events
) AS payment
LEFT JOIN
(
    SELECT
        org,
        trimBoth(request_id) AS request,
        orchestrator_address,
        argMax(ifNull(pixels_per_unit, 1), (event_timestamp, raw_event_uid)) AS pixels
    FROM livepeer_analytics.job_orchestrator_events
    WHERE subtype = 'job_orchestrator_received' AND request != ''
    GROUP BY org, request, orchestrator_address
) AS accepted
    ON accepted.org = payment.org AND accepted.request = payment.request
    AND accepted.orchestrator_address = payment.orchestrator_address
WHERE window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
GROUP BY window_start, org, capability, subtype
SETTINGS join_use_nulls = 0;

-- One row per org, orchestrator, capability and worker that registered and did not leave since. From worker_lifecycle_events.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_byoc_workers
(
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    orchestrator_url String,
    capability String,
    worker_url String COMMENT 'empty: the registration has none',
    models String COMMENT 'joined by commas',
    price_per_unit Nullable(Float64) COMMENT 'for one unit; nobody says in which currency',
    registered_at DateTime64(3, 'UTC') COMMENT 'latest registration: when a gateway asked the orchestrator for its events'
)
AS SELECT
    org, orchestrator_address, orchestrator_url, capability, worker_url, models, price_per_unit, registered_at
FROM
(
    SELECT
        org,
        orchestrator_address,
        capability,
        worker,
        latest.1 AS orchestrator_url,
        latest.2 AS worker_url,
        latest.3 AS models,
        latest.4 AS price_per_unit,
        registered_at,
        registrations,
        left_at,
        max(if(worker = '', left_at, toDateTime64(0, 3, 'UTC'))) OVER (PARTITION BY org, orchestrator_address, capability)
            AS all_left_at
    FROM
    (
        SELECT
            org,
            orchestrator_address,
            capability,
            substring(lower(trimBoth(worker_lifecycle.worker_url)), 1,
                length(trimBoth(worker_lifecycle.worker_url)) - endsWith(trimBoth(worker_lifecycle.worker_url), '/')) AS worker,
            argMaxIf(
                (
                    worker_lifecycle.orchestrator_url, worker_lifecycle.worker_url, worker_lifecycle.models,
                    worker_lifecycle.price_per_unit / greatest(ifNull(worker_lifecycle.price_scaling, 1), 1)
                ),
                (event_timestamp, raw_event_uid), subtype = 'worker_registered'
            ) AS latest,
            maxIf(event_timestamp, subtype = 'worker_registered') AS registered_at,
            countIf(subtype = 'worker_registered') AS registrations,
            maxIf(event_timestamp, subtype = 'worker_unregistered') AS left_at
        FROM livepeer_analytics.worker_lifecycle_events AS worker_lifecycle
        GROUP BY org, orchestrator_address, capability, worker
    )
)
WHERE registrations > 0 AND registered_at > left_at AND registered_at > all_left_at;

-- One row per hour, org, who pays, app, pipeline, model and orchestrator. From signed_ticket_events; whose a URL is, from
-- dim_orchestrator_capability_snapshots and dim_orchestrator_capability_prices.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_ticket_cost
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of signing, if it is within 10 minutes of the event, else of the event',
    org LowCardinality(String),
    auth_id String COMMENT 'client_id, or client_id:user',
    client_id String COMMENT 'auth_id before its first colon',
    app String,
    pipeline String,
    model_id String,
    orchestrator_url String COMMENT 'as it is compared: lower-case, without a slash at its end',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: nobody was seen at the URL, or several were',
    signings UInt64,
    num_tickets UInt64,
    fee_wei UInt256 COMMENT 'wei',
    billable_secs Float64 COMMENT 'seconds',
    pixels UInt64
)
AS SELECT
    window_start,
    org,
    auth_id,
    client_id,
    app,
    pipeline,
    model_id,
    orchestrator_url,
    if(length(owner.wallets) = 1, owner.wallets[1], '') AS orchestrator_address,
    signings,
    num_tickets,
    fee_wei,
    billable_secs,
    pixels
FROM
(
    SELECT
        toStartOfInterval(
            if(abs(dateDiff('millisecond', event_timestamp, ifNull(signed_at, event_timestamp))) <= 600000,
                ifNull(signed_at, event_timestamp), event_timestamp),
            INTERVAL 3600000 MILLISECOND
        ) AS window_start,
        org,
        auth_id,
        splitByChar(':', ticket.auth_id)[1] AS client_id,
        app,
        pipeline,
        model_id,
        substring(lower(trimBoth(ticket.orchestrator_url)), 1,
            length(trimBoth(ticket.orchestrator_url)) - endsWith(trimBoth(ticket.orchestrator_url), '/')) AS orchestrator_url,
        count() AS signings,
        sum(ifNull(ticket.num_tickets, 0)) AS num_tickets,
        sum(ticket.fee_wei) AS fee_wei,
        sum(ifNull(ticket.billable_secs, 0)) AS billable_secs,
        sum(ifNull(ticket.pixels, 0)) AS pixels
    FROM livepeer_analytics.signed_ticket_events AS ticket
    GROUP BY window_start, org, auth_id, app, pipeline, model_id, orchestrator_url
) AS cost
LEFT JOIN
(
    SELECT
        org,
        substring(lower(trimBoth(seen.url)), 1, length(trimBoth(seen.url)) - endsWith(trimBoth(seen.url), '/')) AS url_key,
        groupUniqArray(orchestrator_address) AS wallets
    FROM
    (
        SELECT DISTINCT org, snapshot.orchestrator_url AS url, orchestrator_address
        FROM livepeer_analytics.dim_orchestrator_capability_snapshots_versions AS snapshot
        WHERE is_deleted = 0
        UNION DISTINCT
        SELECT DISTINCT org, price.orchestrator_url AS url, orchestrator_address
        FROM livepeer_analytics.dim_orchestrator_capability_prices_versions AS price
        WHERE is_deleted = 0
    ) AS seen
    WHERE orchestrator_address != '' AND url_key != ''
    GROUP BY org, url_key
) AS owner ON owner.org = cost.org AND owner.url_key = cost.orchestrator_url
WHERE window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
SETTINGS join_use_nulls = 0;
