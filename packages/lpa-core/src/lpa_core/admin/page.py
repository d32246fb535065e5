"""The same as a page for people: plain HTML that refreshes itself.

Built as a tree, whose texts are escaped when it is written out: a topic's name is somebody else's text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, tostring

from lpa_core.admin.job import AdministeredJob

_REFRESH_SECONDS: Final = 5
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ccc; overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums }
.trouble { color: #a40000; font-weight: bold }
"""
_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
)

_Child = Element | str | int | None


def page(job: AdministeredJob, now_ms: int, health: Mapping[str, Any]) -> bytes:
    """State, reasons, health, partitions, counts and rejects of the job at ``now_ms`` (epoch ms)."""
    report = job.report()
    html = _element(
        "html",
        _element(
            "head",
            _element("meta", charset="utf-8"),
            _element("meta", **{"http-equiv": "refresh", "content": str(_REFRESH_SECONDS)}),
            _element("meta", name="viewport", content="width=device-width"),
            _element("title", f"{job.name}: {job.state()}"),
            _element("style", _STYLE),
        ),
        _element(
            "body",
            _element("h1", job.name),
            *_state(job, now_ms),
            *_health(health),
            *_partitions(job),
            *_counts(report),
            *_rejects(report),
            *_rows(report),
        ),
        lang="en",
    )
    return b"<!DOCTYPE html>\n" + tostring(html, encoding="unicode", method="html").encode(errors="replace")


def _state(job: AdministeredJob, now_ms: int) -> Iterable[Element]:
    yield _table(
        (),
        [
            ("job", job.id),
            ("state", job.state().value),
            ("started", _time(job.started_ms)),
            ("shown", _time(now_ms)),
        ],
        "State",
    )
    if not job.healthy():
        yield _element("p", "Not healthy: the process is to be started again.", **{"class": "trouble"})
    if any(partition.failed for partition in job.partitions()):
        text = "Some partitions need a person: none of their records is delivered."
        yield _element("p", text, **{"class": "trouble"})
    reasons = job.not_ready()
    if reasons:
        yield _element("p", "Not ready:", **{"class": "trouble"})
        yield _element("ul", *(_element("li", reason) for reason in reasons))
    else:
        yield _element("p", "Ready.")


def _health(health: Mapping[str, Any]) -> Iterable[Element]:
    yield _element("h2", "Health")
    rows = [(check["title"], check["state"], check["detail"]) for check in health["checks"]]
    yield _table(("check", "state", "found"), rows, "Health") if rows else _element("p", "Nothing was checked yet.")


def _partitions(job: AdministeredJob) -> Iterable[Element]:
    yield _element("h2", "Partitions")
    rows = [
        (
            partition.topic,
            partition.partition,
            f"{partition.state}, held back" if partition.backpressured else partition.state,
            partition.committed_offset,
            partition.end_offset,
            partition.lag,
        )
        for partition in job.partitions()
    ]
    headings = ("topic", "partition", "state", "committed offset", "end offset", "lag")
    yield _table(headings, rows, "Partitions") if rows else _element("p", "This worker holds no partition.")


def _counts(report: Mapping[str, Any]) -> Iterable[Element]:
    yield _element("h2", "Records")
    yield _table(
        (),
        [
            ("read", report.get("read", 0)),
            ("accepted", report.get("accepted", 0)),
            ("dead-lettered", report.get("dead_lettered", 0)),
            ("quarantined", report.get("quarantined", 0)),
            ("ignored", report.get("ignored", 0)),
        ],
        "Records",
    )


def _rejects(report: Mapping[str, Any]) -> Iterable[Element]:
    yield _element("h2", "Dead letters by reason")
    rows = [(row["class"], row["reason"], row["records"]) for row in report.get("dead_lettered_by_reason", ())]
    yield _table(("class", "reason", "records"), rows, "Dead letters") if rows else _element("p", "None.")


def _rows(report: Mapping[str, Any]) -> Iterable[Element]:
    yield _element("h2", "Rows written")
    rows = [*report.get("rows", {}).items()]
    yield _table(("table", "rows"), rows, "Rows written") if rows else _element("p", "None.")


def _table(headings: Sequence[str], rows: Sequence[Sequence[_Child]], label: str) -> Element:
    """Without headings, a row's first cell heads the row."""
    table = _element("table", **{"aria-label": label})
    if headings:
        numbers = [not isinstance(value, str) for value in rows[0]]
        table.append(
            _element(
                "tr",
                *(
                    _element("th", heading, scope="col", **_class(number))
                    for heading, number in zip(headings, numbers, strict=True)
                ),
            )
        )
        table.extend(_element("tr", *map(_cell, row)) for row in rows)
    else:
        table.extend(_element("tr", _element("th", first, scope="row"), *map(_cell, rest)) for first, *rest in rows)
    return table


def _cell(value: _Child) -> Element:
    return _element("td", "unknown" if value is None else value, **_class(not isinstance(value, str)))


def _class(number: bool) -> dict[str, str]:
    return {"class": "number"} if number else {}


def _element(tag: str, *children: _Child, **attributes: str) -> Element:
    element = Element(tag, attributes)
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif child is not None:
            element.text = f"{child:,}" if isinstance(child, int) else child
    return element


def _time(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(" ", "seconds")
