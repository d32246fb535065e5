-- Face values of 0.01 ETH and more are sent in ETH; fees are also shown as what tickets are worth on average.
--
-- differs: v_request_fees: times after 2106 have hours of their own

ALTER TABLE livepeer_analytics.payment_events
    MODIFY COLUMN face_value_wei UInt256 MATERIALIZED arrayMap(part -> multiIf(part[2] = '' AND lower(part[3]) IN ('', 'wei'), toUInt256OrZero(part[1]), lower(part[3]) != 'wei' AND length(part[1]) <= 59, toUInt256OrZero(part[1] || rightPad(part[2], 18, '0')), toUInt256(0)), [extractGroups(face_value, '(?i)^\\s*([0-9]{1,77})(?:\\.([0-9]{1,18}))?\\s*(wei|eth)?\\s*$')])[1] COMMENT 'wei, of one ticket; 0 if face_value is neither wei nor ETH';
ALTER TABLE livepeer_analytics.payment_events MATERIALIZE COLUMN face_value_wei SETTINGS mutations_sync = 2;
ALTER TABLE livepeer_analytics.payment_events
    ADD COLUMN IF NOT EXISTS expected_fee_wei UInt256 MATERIALIZED if(face_value_wei <= toUInt256('1000000000000000000000000000000000000000000000000000000000') AND arrayMap(part -> toUInt64OrZero(part[1] || rightPad(substring(part[2], 1, 10), 10, '0')), [extractGroups(win_prob, '^\\s*([01])(?:\\.([0-9]{1,18}))?\\s*$')])[1] <= 10000000000, intDiv(face_value_wei * arrayMap(part -> toUInt64OrZero(part[1] || rightPad(substring(part[2], 1, 10), 10, '0')), [extractGroups(win_prob, '^\\s*([01])(?:\\.([0-9]{1,18}))?\\s*$')])[1] * toUInt32OrZero(trimBoth(num_tickets)), 10000000000), toUInt256(0)) COMMENT 'wei: what the tickets are worth on average, face value by chance by number',
    ADD COLUMN IF NOT EXISTS price_wei_per_pixel Nullable(Float64) MATERIALIZED toFloat64OrNull(extract(price, '^\\s*([0-9]+(?:\\.[0-9]+)?) wei/pixel$')) COMMENT 'null: price is not in wei/pixel';
ALTER TABLE livepeer_analytics.stream_ingest_metrics
    ADD COLUMN IF NOT EXISTS video_rtt_ms Float64 ALIAS video_rtt / 1000000 COMMENT 'milliseconds',
    ADD COLUMN IF NOT EXISTS audio_rtt_ms Float64 ALIAS audio_rtt / 1000000 COMMENT 'milliseconds';

CREATE OR REPLACE VIEW livepeer_analytics.raw_stream_ingest_metrics AS
SELECT event.*, event.event_date, event.video_rtt_ms, event.audio_rtt_ms, raw.raw_json
FROM livepeer_analytics.stream_ingest_metrics AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE OR REPLACE VIEW livepeer_analytics.raw_payment_events AS
SELECT event.*, event.event_date, event.face_value_wei, event.expected_fee_wei, event.price_wei_per_pixel, raw.raw_json
FROM livepeer_analytics.payment_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE OR REPLACE VIEW livepeer_analytics.v_request_fees
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the payments',
    request_id String,
    workflow_session_id String COMMENT 'empty: no session has the request_id',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String,
    gpu_id String,
    region String,
    face_value_wei UInt256 COMMENT 'wei: one face value a payment, as the reference counts',
    expected_fee_wei UInt256 COMMENT 'wei: what the tickets are worth on average'
)
AS SELECT
    payment.window_start AS window_start,
    payment.request_id AS request_id,
    session.workflow_session_id AS workflow_session_id,
    session.gateway AS gateway,
    session.orchestrator_address AS orchestrator_address,
    session.pipeline AS pipeline,
    session.model_id AS model_id,
    session.gpu_id AS gpu_id,
    session.region AS region,
    payment.face_value_wei AS face_value_wei,
    payment.expected_fee_wei AS expected_fee_wei
FROM
(
    SELECT
        toStartOfInterval(event_timestamp, INTERVAL 3600000 MILLISECOND) AS window_start,
        payment_events.request_id AS request_id,
        sum(payment_events.face_value_wei) AS face_value_wei,
        sum(payment_events.expected_fee_wei) AS expected_fee_wei
    FROM livepeer_analytics.payment_events AS payment_events
    WHERE event_timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
    GROUP BY window_start, request_id
) AS payment
LEFT JOIN
(
    SELECT
        request_id, workflow_session_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region
    FROM livepeer_analytics.v_session_outcomes
    WHERE request_id != ''
    ORDER BY session_start_ts DESC, workflow_session_id DESC
    LIMIT 1 BY request_id
) AS session
    ON session.request_id = payment.request_id
SETTINGS join_use_nulls = 0;
