"""Batch and BYOC jobs: how they came out, what language models answered, and what jobs and tickets cost."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow

JOBS: Final = Dashboard(
    uid="lpa-jobs",
    title="Jobs and cost",
    begin="now-7d",
    rows=(
        PanelRow(
            "Summary",
            (
                Panel("Jobs", PanelKind.STAT, "jobs_total.sql", 6, 4),
                Panel("Success", PanelKind.STAT, "job_success.sql", 6, 4, "percentunit"),
                Panel(
                    "Attributed, of those selected",
                    PanelKind.STAT,
                    "jobs_attributed.sql",
                    6,
                    4,
                    "percentunit",
                ),
                Panel("Charged (ETH)", PanelKind.STAT, "job_charges.sql", 6, 4),
            ),
        ),
        PanelRow(
            "Demand",
            (
                Panel(
                    "Jobs by outcome (1h)",
                    PanelKind.SERIES,
                    "jobs_by_outcome.sql",
                    12,
                    stacked=True,
                    about="A job without an end is lost after an hour",
                ),
                Panel(
                    "Jobs by pipeline or capability (1h)", PanelKind.SERIES, "jobs_by_pipeline.sql", 12, stacked=True
                ),
                Panel("Mean duration", PanelKind.SERIES, "job_duration.sql", 12, unit="ms"),
                Panel("Facts of jobs (a second)", PanelKind.SERIES, "sum(rate(lpa_materialize_jobs_total[5m]))", 12),
                Panel("Orchestrators", PanelKind.TABLE, "jobs_by_orchestrator.sql", 24, 10),
            ),
        ),
        PanelRow(
            "Language models",
            (
                Panel("Tokens (1h)", PanelKind.SERIES, "llm_tokens.sql", 12, stacked=True),
                Panel("Models", PanelKind.TABLE, "llm_models.sql", 12),
            ),
        ),
        PanelRow(
            "Workers and payments of BYOC jobs",
            (
                Panel("Workers that are registered", PanelKind.TABLE, "byoc_workers.sql", 12),
                Panel("Authorisation (1h)", PanelKind.SERIES, "byoc_auth.sql", 12),
                Panel("Payments", PanelKind.TABLE, "byoc_payments.sql", 24),
            ),
        ),
        PanelRow(
            "Signed tickets",
            (
                Panel("Fees by client (ETH an hour)", PanelKind.SERIES, "ticket_cost.sql", 12),
                Panel("Clients", PanelKind.TABLE, "ticket_clients.sql", 12),
            ),
        ),
    ),
)
