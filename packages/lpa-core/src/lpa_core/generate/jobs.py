"""Events of batch and BYOC jobs, of signed tickets, and of streams that pytrickle serves.

Shapes: docs/spec/producers.md section 3. A story is what belongs together, such as a job from its arrival to its
payment; several are under way at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.generate.network import Gateway, GeneratedOrchestrator, uuid, wallet

Told = tuple[str, dict[str, Any]]
"""The type of an event, and its data but for what depends on the time."""

_UNDER_WAY: Final = 12
_PIPELINES: Final = (("text-to-image", "flux-schnell"), ("upscale", "real-esrgan"), ("audio-to-text", "whisper-v3"))
_LLM: Final = ("llm", "llama-3.1-8b")
_CAPABILITIES: Final = ("chat", "comfy-render", "transcribe")
_BYOC: Final = 37
"""Id of all BYOC capabilities in the capability catalog (docs/spec/producers.md section 3)."""
_OFFERED_AGAIN: Final = 0.01
"""Share of stories in which a gateway says again what its orchestrators offer."""
_RELAYED_WITHOUT_TYPE: Final = 0.7
"""Share of what gateways relay of orchestrators without ``type``."""


@final
class JobProducer:
    """Tells one event after the other of many jobs."""

    def __init__(self, rng: Random, gateways: tuple[Gateway, ...]) -> None:
        """The gateways of the network send jobs to orchestrators of their own, which serve no streams."""
        self._rng = rng
        pool = {o.url: _of_jobs(rng, o) for gateway in gateways for o in gateway.orchestrators}
        self._gateways = tuple(
            attrs.evolve(gateway, orchestrators=tuple(pool[o.url] for o in gateway.orchestrators))
            for gateway in gateways
        )
        self._stories: list[tuple[Gateway, Iterator[Told]]] = [
            (gateway, _offered(rng, gateway)) for gateway in self._gateways
        ]

    def record(self, at: int) -> bytes:
        """The next event, as of that time in epoch ms."""
        rng = self._rng
        while True:
            while len(self._stories) < _UNDER_WAY:
                self._stories.append(self._begin())
            place = rng.randrange(len(self._stories))
            gateway, story = self._stories[place]
            told = next(story, None)
            if told is None:
                del self._stories[place]
                continue
            kind, data = told
            if kind == "stream_heartbeat":
                data["timestamp"] = at
            if kind == "create_signed_ticket":
                data["current_time_unix"], data["previous_time_unix"] = at, at - 10_000
            event = {"id": uuid(rng), "type": kind, "timestamp": str(at), "gateway": gateway.name, "data": data}
            return msgspec.json.encode(event)

    def _begin(self) -> tuple[Gateway, Iterator[Told]]:
        rng = self._rng
        gateway = rng.choice(self._gateways)
        if rng.random() < _OFFERED_AGAIN:
            return gateway, _offered(rng, gateway)
        orchestrator = rng.choice(gateway.orchestrators)
        tell: Callable[[Random, GeneratedOrchestrator], Iterator[Told]] = rng.choices(
            (_batch, _llm, _byoc, _worker, _tickets, _pytrickle), (4, 3, 5, 1, 2, 2)
        )[0]
        return gateway, tell(rng, orchestrator)


def _of_jobs(rng: Random, orchestrator: GeneratedOrchestrator) -> GeneratedOrchestrator:
    return attrs.evolve(
        orchestrator, wallet=wallet(rng), proxy=wallet(rng), url=orchestrator.url.replace("//orch", "//jobs")
    )


def _offered(rng: Random, gateway: Gateway) -> Iterator[Told]:
    """What the gateway's orchestrators offer: every model and every capability."""
    for orchestrator in gateway.orchestrators:
        capabilities = orchestrator.capabilities(rng)
        (hardware, *_) = capabilities["hardware"]
        served = [*_PIPELINES, _LLM, *((capability, "m1") for capability in _CAPABILITIES)]
        offers = [{**hardware, "pipeline": pipeline, "model_id": model} for pipeline, model in served]
        prices = [
            {"pricePerUnit": 90, "pixelsPerUnit": 1, "capability": _BYOC, "constraint": capability}
            for capability in _CAPABILITIES
        ]
        yield "network_capabilities", {**capabilities, "hardware": offers, "capabilities_prices": prices}


def _id(rng: Random) -> str:
    return f"{rng.getrandbits(32):08x}"


def _batch(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    pipeline, model = rng.choice(_PIPELINES)
    yield from _answered(rng, orchestrator, _id(rng), pipeline, model, ())


def _llm(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    request, (pipeline, model), streamed = _id(rng), _LLM, rng.random() < 0.5
    prompt, completion = rng.randrange(20, 900), rng.randrange(5, 700)
    duration = 20 * completion + rng.randrange(300)
    started = {"type": "llm_request_started", "request_id": request, "model": model, "orch_url": orchestrator.url}
    completed = {
        **started,
        "type": "llm_stream_completed" if streamed else "llm_request_completed",
        "success": True,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "total_duration_ms": duration,
        "tokens_per_second": 1000 * completion / duration,
        "finish_reason": "error" if rng.random() < 0.03 else "stop",
        **({"ttft_ms": rng.randrange(90, 900)} if streamed else {}),
    }
    tokens = (("ai_llm_request", started), ("ai_llm_request", completed))
    yield from _answered(rng, orchestrator, request, pipeline, model, tokens)


def _answered(
    rng: Random, orchestrator: GeneratedOrchestrator, request: str, pipeline: str, model: str, within: tuple[Told, ...]
) -> Iterator[Told]:
    job: dict[str, Any] = {"request_id": request, "pipeline": pipeline, "model_id": model, "client_ip": ""}
    yield "ai_batch_request", {"type": "ai_batch_request_received", **job}
    error = rng.choices(("", "no_orchestrators", "timeout", "worker_error"), (92, 4, 2, 2))[0]
    if error != "no_orchestrators":
        yield from within
    yield (
        "ai_batch_request",
        {
            "type": "ai_batch_request_completed",
            **job,
            "success": not error,
            "tries": 1 + (rng.random() < 0.1),
            "duration_ms": rng.randrange(200, 9000),
            "orch_url": "" if error == "no_orchestrators" else orchestrator.url,
            "latency_score": rng.random(),
            "price_per_unit": float(orchestrator.price),
            "error_type": error,
            "error": error,
        },
    )


def _relayed(rng: Random, kind: str, subtype: str, data: dict[str, Any]) -> Told:
    return kind, data if rng.random() < _RELAYED_WITHOUT_TYPE else {"type": subtype, **data}


def _byoc(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    info = {"address": orchestrator.wallet, "url": orchestrator.url}
    request, capability = _id(rng) if rng.random() < 0.8 else "", rng.choice(_CAPABILITIES)
    job = {"request_id": request, "capability": capability, "orchestrator_info": info}
    name = f"{capability}-{_id(rng)}"
    auth = {"stream_name": name, "pipeline": capability, "success": True}
    yield _relayed(rng, "job_auth", "job_auth_webhook_result", auth)
    found = {"type": "job_orchestrator_discovery_result", "capability": capability, "success": True, "selected": 1}
    yield "job_gateway", found
    for attempt in range(3):
        seconds, works = rng.randrange(1, 20), rng.random() < 0.9
        yield "job_gateway", {"type": "job_gateway_submitted", **job, "attempt_index": attempt, "streaming": False}
        received = {**job, "has_payment": True, "price_per_unit": 90, "pixels_per_unit": 1}
        yield _relayed(rng, "job_orchestrator", "job_orchestrator_received", received)
        worker = {"worker_url": "http://worker:8000", "http_status": 200 if works else 502, "success": works}
        result = {**job, **worker, "duration_ms": 1000 * seconds}
        yield _relayed(rng, "job_orchestrator", "job_orchestrator_worker_result", result)
        charged = {**job, "elapsed_seconds": seconds, "price_per_unit": 90, "total_charged": 90 * seconds}
        yield _relayed(rng, "job_payment", "payment_compute_charged", charged)
        completed = {**job, "success": works, "duration_ms": 1000 * seconds, "attempt_index": attempt}
        yield "job_gateway", {"type": "job_gateway_completed", **completed, "http_status": worker["http_status"]}
        if works:
            return


def _worker(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    worker = {
        "capability": rng.choice(_CAPABILITIES),
        "worker_url": "http://worker:8000",
        "orchestrator_info": {"address": orchestrator.wallet, "url": orchestrator.url},
    }
    options = [{"model": "m1"}, {"model": "m2"}]
    registered = {"id": uuid(rng), **worker, "price_per_unit": 90, "price_scaling": 1, "worker_options": options}
    for _ in range(1 + (rng.random() < 0.2)):  # a second gateway drains the same event
        yield _relayed(rng, "worker_lifecycle", "worker_registered", dict(registered))
    if rng.random() < 0.7:
        yield _relayed(
            rng, "worker_lifecycle", "worker_unregistered", {"id": uuid(rng), **worker, "reason": "shutdown"}
        )


def _tickets(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    session, cost = _id(rng), rng.randrange(1, 500)
    for number in range(rng.randrange(2, 9)):
        yield (
            "create_signed_ticket",
            {
                "session_id": session,
                "session_status": "continuing" if number else "new",
                "app": "daydream",
                "auth_id": "app-1:user",
                "pipeline": "live",
                "model_id": orchestrator.model,
                "request_id": _id(rng),
                "manifest_id": _id(rng),
                "orch_address": orchestrator.proxy,
                "orch_url": orchestrator.url,
                "billable_secs": 10.0,
                "pixels": 0,
                "sequence_number": number,
                "num_tickets": 1 + rng.randrange(3),
                "computed_fee": str(10 * cost),
                "session_balance": str(-10 * cost),
                "cost": f"{cost}.0000000000",
            },
        )


def _pytrickle(rng: Random, orchestrator: GeneratedOrchestrator) -> Iterator[Told]:
    info = {"address": orchestrator.proxy.lower(), "url": orchestrator.url}
    stream = {"stream_id": f"pytrickle-{_id(rng)}", "request_id": _id(rng), "orchestrator_info": info}
    for number in range(rng.randrange(3, 12)):
        fps = 24 * rng.random()
        frames = {"ingress_video_fps": 24.0, "egress_video_fps": fps, "ingress_audio_fps": 50, "egress_audio_fps": 50}
        yield "stream_heartbeat", {**stream, "dimensions": {"width": 512, "height": 512}, "fps": frames}
        if number % 2:
            state = {"running": True, "width": 512, "height": 512}
            yield "stream_stats", {"type": "stream_stats", **stream, "timestamp": 81_234.5 + number, "stream": state}
