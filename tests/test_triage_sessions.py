"""``lpa triage sessions``: what a person sees of a session."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from services.preloaded import preloaded_lpa

T = 1_767_955_200_000


def lpa(folder: Path, *arguments: str, status: int = 0) -> str:
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "LPA_LOG_LEVEL": "error"}
    done = subprocess.run(
        [preloaded_lpa(), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def record(number: int, type_: str, time: int, **data: Any) -> bytes:
    event = {"id": f"e{number}", "type": type_, "timestamp": time, "gateway": "gw", "data": data}
    return msgspec.json.encode(event)


def served(wallet: str, url: str) -> dict[str, Any]:
    return {"orchestrator_info": {"address": wallet, "url": url}}


def offer(number: int, wallet: str, address: str, model: str) -> bytes:
    orchestrator = {
        "address": address,
        "local_address": wallet,
        "orch_uri": f"https://{address}",
        "hardware": [{"pipeline": "live", "model_id": model, "gpu_info": {"0": {"id": "GPU-1", "name": "RTX"}}}],
    }
    return msgspec.json.encode(
        {"id": f"c{number}", "type": "network_capabilities", "timestamp": T, "data": [orchestrator]}
    )


def session(first: int, name: str, wallet: str | None, url: str = "") -> list[bytes]:
    ids = {"stream_id": name, "request_id": "r"}
    wallets = served(wallet, url) if wallet else {}
    return [
        record(first, "stream_trace", T + 1_000, type="gateway_receive_stream_request", **ids),
        *(
            record(
                first + 1 + number,
                "ai_stream_status",
                T + 2_000 + number,
                pipeline="m",
                state="ONLINE",
                **ids,
                **wallets,
            )
            for number in range(3)
        ),
        record(first + 5, "stream_trace", T + 9_000, type="gateway_ingest_stream_closed", **ids),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triage")
    records = [
        offer(1, "0xhot1", "0xcan1", "m"),
        offer(2, "0xshared", "0xcan1", "m"),
        offer(3, "0xshared", "0xcan2", "m"),
        offer(4, "0xother", "0xcan1", "another model"),
        *session(10, "fine", "0xHOT1"),
        *session(20, "unknown", "0xnobody"),
        *session(30, "ambiguous", "0xshared"),
        *session(40, "othermodel", "0xother"),
        *session(50, "silent", None),
        *session(60, "by-url", "0xshared", "https://0xCAN2/"),
        *session(70, "elsewhere", "0xshared", "https://nowhere"),
        *session(80, "canonical", "0xcan1", "https://nowhere"),
        *session(90, "nobody-there", "0xnobody", "https://nowhere"),
    ]
    (folder / "events.ndjson").write_bytes(b"\n".join(records) + b"\n")
    lpa(folder, "ingest", "events.ndjson")
    return folder


@pytest.mark.slow
def test_the_latest_sessions_are_listed(folder: Path) -> None:
    listed = json.loads(lpa(folder, "triage", "sessions", "--json"))
    assert {row["workflow_session_id"]: row["attribution"] for row in listed} == {
        "fine|r": "nearest_prior_snapshot",
        "by-url|r": "nearest_prior_snapshot",
        "ambiguous|r": "ambiguous",
        **dict.fromkeys([f"{name}|r" for name in ("unknown", "othermodel", "silent")], "none"),
        **dict.fromkeys([f"{name}|r" for name in ("elsewhere", "canonical", "nobody-there")], "none"),
    }
    assert len(json.loads(lpa(folder, "triage", "sessions", "--limit", "2", "--json"))) == 2
    assert "othermodel|r" in lpa(folder, "triage", "sessions")


@pytest.mark.slow
def test_a_life_has_its_signals_in_order_runs_as_one_row(folder: Path) -> None:
    life = json.loads(lpa(folder, "triage", "sessions", "fine|r", "--json"))
    assert [(row["what"], row["signals"]) for row in life["signals"]] == [
        ("gateway_receive_stream_request", 1),
        ("ONLINE", 3),
        ("gateway_ingest_stream_closed", 1),
    ]
    assert [row["orchestrator"] for row in life["segments"]] == ["0xcan1"]
    shown = lpa(folder, "triage", "sessions", "fine|r")
    assert "outcome: unexcused" in shown
    assert "0xcan1, live, m, GPU-1 (nearest_prior_snapshot" in shown
    assert "status: resolved (matched)" in shown
    assert "why:" not in shown
    assert "attribution: 0xcan2, live, m, GPU-1" in lpa(folder, "triage", "sessions", "by-url|r")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("unknown", "unresolved (missing_candidate)", "no snapshot names 0xnobody"),
        (
            "ambiguous",
            "ambiguous (ambiguous_candidates)",
            "several orchestrators could be meant: 0xcan1@https://0xcan1, 0xcan2@https://0xcan2",
        ),
        (
            "othermodel",
            "unresolved (missing_candidate)",
            "0xother offers another model, and the session is of m",
        ),
        ("silent", "unresolved (missing_candidate)", "none of its signals names a wallet or a URL"),
        (
            "elsewhere",
            "unresolved (missing_uri_snapshot_local_alias_present)",
            "no snapshot names the URL https://nowhere, though the wallet is known as the proxy of others",
        ),
        (
            "canonical",
            "unresolved (missing_uri_snapshot_address_match_present)",
            "no snapshot names the URL https://nowhere, though the wallet is known at another URL",
        ),
        ("nobody-there", "unresolved (missing_candidate)", "no snapshot names https://nowhere"),
    ],
)
def test_why_a_session_is_not_attributed(folder: Path, name: str, status: str, reason: str) -> None:
    shown = lpa(folder, "triage", "sessions", f"{name}|r")
    assert f"status: {status}" in shown
    assert f"why: {reason}" in shown


@pytest.mark.slow
def test_a_session_that_is_not_there_is_an_error(folder: Path) -> None:
    assert "no session nobody|r" in lpa(folder, "triage", "sessions", "nobody|r", status=1)
