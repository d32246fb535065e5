"""Events of jobs, told one by one, for tests of what is derived from them."""

from __future__ import annotations

from itertools import count
from typing import Any, Final, final

import msgspec

from lpa_sinks.testing.network_events import MINUTE, T

HOT: Final = "0xHOT"
"""The proxy wallet that all orchestrators share."""


def on(number: int) -> dict[str, Any]:
    """What an event names an orchestrator by."""
    return {"orchestrator_info": {"address": f"0xCAN{number}", "url": f"https://o{number}.test:1"}}


@final
class JobRecords:
    """Records with ids of their own, of gateway ``gw``."""

    def __init__(self, prefix: str = "j") -> None:
        self._ids = count()
        self._prefix = prefix

    def record(self, type_: str, timestamp: int, data: Any) -> bytes:
        id_ = f"{self._prefix}{next(self._ids)}"
        return msgspec.json.encode({"id": id_, "type": type_, "timestamp": timestamp, "gateway": "gw", "data": data})

    def capability(self, timestamp: int, number: int, price: int = 2500) -> bytes:
        """An orchestrator that offers the language model ``m``, and the BYOC capability ``chat``."""
        gpu = {"0": {"id": f"GPU-{number}", "name": "RTX"}}
        hardware = [
            {"pipeline": "llm", "model_id": "m", "gpu_info": gpu},
            {"pipeline": "chat", "model_id": "m1", "gpu_info": gpu},
        ]
        prices = [{"capability": 37, "constraint": "chat", "pricePerUnit": price, "pixelsPerUnit": 1}]
        orchestrator = {
            "address": f"0xCAN{number}",
            "local_address": HOT,
            "orch_uri": f"https://o{number}.test:1",
            "hardware": hardware,
            "capabilities_prices": prices,
        }
        return self.record("network_capabilities", timestamp, [orchestrator])

    def batch(self, timestamp: int, step: str, request_id: str = "r", **data: Any) -> bytes:
        """``step`` is received or completed."""
        told = {"type": f"ai_batch_request_{step}", "request_id": request_id, "pipeline": "llm", "model_id": "m"}
        return self.record("ai_batch_request", timestamp, told | data)

    def llm(self, timestamp: int, subtype: str, request_id: str = "r", **data: Any) -> bytes:
        told = {"type": subtype, "request_id": request_id, "model": "m", "success": True, "finish_reason": "stop"}
        return self.record("ai_llm_request", timestamp, told | data)

    def gateway(self, timestamp: int, step: str, number: int, request_id: str = "r", **data: Any) -> bytes:
        """``step`` is submitted or completed."""
        told = {"type": f"job_gateway_{step}", "request_id": request_id, "capability": "chat", **on(number)}
        return self.record("job_gateway", timestamp, told | data)

    def orchestrator(self, timestamp: int, number: int, request_id: str = "r", **data: Any) -> bytes:
        """Without ``type``: keys of ``data`` tell the subtype."""
        told = {"request_id": request_id, "capability": "chat", **on(number)}
        return self.record("job_orchestrator", timestamp, told | data)

    def charge(self, timestamp: int, number: int, seconds: int, request_id: str = "r", price: int = 90) -> bytes:
        told = {"request_id": request_id, "capability": "chat", "elapsed_seconds": seconds, "price_per_unit": price}
        return self.record("job_payment", timestamp, told | on(number))

    def worker(self, timestamp: int, step: str, number: int, id_: str, url: str = "http://w:8", **data: Any) -> bytes:
        """``step`` is registered or unregistered."""
        told = {"type": f"worker_{step}", "id": id_, "capability": "chat", "worker_url": url, **on(number)}
        return self.record("worker_lifecycle", timestamp, told | data)

    def discovery(self, timestamp: int, **data: Any) -> bytes:
        told = {"type": "job_orchestrator_discovery_result", "capability": "chat"}
        return self.record("job_gateway", timestamp, told | data)

    def ticket(self, timestamp: int, fee: int, **data: Any) -> bytes:
        told = {"session_id": "s", "auth_id": "app:u", "computed_fee": str(fee), "pipeline": "live", "num_tickets": 1}
        return self.record("create_signed_ticket", timestamp, told | data)


def job_network() -> list[bytes]:
    """Three orchestrators behind one proxy wallet and what they serve; in order of event time."""
    told = JobRecords()
    url = {"orch_url": "https://O2.test:1/"}
    hot = {"orchestrator_info": {"address": HOT, "url": ""}}
    records = [
        *(
            told.capability(T - MINUTE + 5 * MINUTE * time + number, number)
            for number in (1, 2, 3)
            for time in range(3)
        ),
        told.batch(T, "received"),
        told.llm(T + 100, "llm_request_started", **url),
        told.batch(T + 900, "completed", success=True, tries=2, duration_ms=300, **url),
        told.llm(T + 2_500, "llm_stream_completed", total_duration_ms=2_500, completion_tokens=20, ttft_ms=90, **url),
        told.batch(T + 50, "received", "none"),
        told.batch(T + 60, "completed", "none", success=False, error_type="no_orchestrators"),
        told.batch(T + 70, "received", "open"),
        told.batch(T + 80, "completed", " ", success=True, **url),
        told.worker(T - 2 * MINUTE, "registered", 2, "u1", worker_options=[{"model": "big"}]),
        told.worker(T + 10 * MINUTE, "unregistered", 2, "u2"),
        told.gateway(T + 1_000, "submitted", 1, attempt_index=0),
        told.gateway(T + 1_050, "completed", 1, success=False, duration_ms=50),
        told.gateway(T + 1_060, "submitted", 2, attempt_index=1),
        told.orchestrator(T + 1_061, 2, has_payment=True, price_per_unit=90, pixels_per_unit=4),
        told.orchestrator(T + 1_100, 2, http_status=200, success=True, worker_url="http://w:8"),
        told.charge(T + 1_120, 2, 3),
        told.gateway(T + 1_130, "completed", 2, success=True, duration_ms=70),
        told.gateway(T + 2_000, "submitted", 3, "slow"),
        told.orchestrator(T + 3_000, 3, "slow", http_status=502, success=False),
        told.gateway(T + 4_000, "completed", 1, "", success=True),
        told.gateway(T + 5_000, "completed", 1, "whose", success=True, **hot),
        told.gateway(T + 6 * MINUTE, "completed", 3, "advertised", success=True),
    ]
    return sorted(records, key=lambda record: msgspec.json.decode(record)["timestamp"])
