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


def served(wallet: str) -> dict[str, Any]:
    return {"orchestrator_info": {"address": wallet, "url": "https://orch"}}


def offer(number: int, wallet: str, address: str, model: str) -> bytes:
    orchestrator = {
        "address": address,
        "local_address": wallet,
        "orch_uri": "https://orch",
        "hardware": [{"pipeline": "live", "model_id": model, "gpu_info": {"0": {"id": "GPU-1", "name": "RTX"}}}],
    }
    return msgspec.json.encode(
        {"id": f"c{number}", "type": "network_capabilities", "timestamp": T, "data": [orchestrator]}
    )


def session(first: int, name: str, wallet: str | None) -> list[bytes]:
    ids = {"stream_id": name, "request_id": "r"}
    wallets = served(wallet) if wallet else {}
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
    ]
    (folder / "events.ndjson").write_bytes(b"\n".join(records) + b"\n")
    lpa(folder, "ingest", "events.ndjson")
    return folder


def test_the_latest_sessions_are_listed(folder: Path) -> None:
    listed = json.loads(lpa(folder, "triage", "sessions", "--json"))
    assert {row["workflow_session_id"]: row["attribution"] for row in listed} == {
        "fine|r": "nearest_prior_snapshot",
        **dict.fromkeys(["unknown|r", "ambiguous|r", "othermodel|r", "silent|r"], "none"),
    }
    assert len(json.loads(lpa(folder, "triage", "sessions", "--limit", "2", "--json"))) == 2
    assert "othermodel|r" in lpa(folder, "triage", "sessions")


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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown", "no snapshot names the wallet 0xnobody"),
        ("ambiguous", "0xshared stands for several orchestrators within 24 hours: 0xcan1, 0xcan2"),
        ("othermodel", "0xother offers another model, and the session is of m"),
        ("silent", "none of its signals names a wallet"),
    ],
)
def test_why_a_session_is_not_attributed(folder: Path, name: str, reason: str) -> None:
    assert f"why: {reason}" in lpa(folder, "triage", "sessions", f"{name}|r")


def test_a_session_that_is_not_there_is_an_error(folder: Path) -> None:
    assert "no session nobody|r" in lpa(folder, "triage", "sessions", "nobody|r", status=1)
