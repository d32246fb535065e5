"""The imaginary network that generated events speak of: gateways, orchestrators, their GPUs and prices."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, final

import attrs
import msgspec

LIVE_PIPELINE = "live-video-to-video"
LIVE_CAPABILITY = 35
"""Id of the live pipeline in the capability catalog (spec/events.md section 3.4.1)."""

_GIB = 1 << 30
_GPUS = (
    ("NVIDIA GeForce RTX 4090", 8, 9, 24 * _GIB),
    ("NVIDIA GeForce RTX 5090", 12, 0, 32 * _GIB),
    ("NVIDIA L40S", 8, 9, 48 * _GIB),
    ("NVIDIA H100 80GB HBM3", 9, 0, 80 * _GIB),
)
_LIVE_MODELS = (
    "streamdiffusion",
    "streamdiffusion-sdxl",
    "streamdiffusion-sdxl-faceid",
    "streamdiffusion-sdxl-v2v",
)
_TRANSCODING = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 26)
_ORCHESTRATORS_PER_MODEL = 4


@final
@attrs.frozen(slots=True)
class Gpu:
    id: str
    name: str
    major: int
    minor: int
    memory: int
    """Bytes in all."""


@final
@attrs.frozen(slots=True)
class Orchestrator:
    """``wallet`` is the canonical one; ``proxy`` is the one that streams name, often another."""

    wallet: str
    proxy: str
    url: str
    model: str
    gpus: tuple[Gpu, ...]
    version: str
    runner_version: str
    price: int
    """Wei per pixel."""

    def capabilities(self, rng: Random) -> dict[str, Any]:
        """The object that a ``network_capabilities`` event carries, with figures of the moment."""
        in_use = rng.randrange(len(self.gpus) + 1)
        capacities = {str(capability): len(self.gpus) for capability in (*_TRANSCODING, LIVE_CAPABILITY)}
        config = {
            "warm": True,
            "capacity": len(self.gpus) - in_use,
            "runnerVersion": self.runner_version,
            "capacityInUse": in_use,
        }
        return {
            "address": self.wallet,
            "local_address": self.proxy,
            "orch_uri": self.url,
            "capabilities": {
                "bitstring": [sum(1 << int(capability) for capability in capacities)],
                "capacities": capacities,
                "version": self.version,
                "constraints": {"PerCapability": {str(LIVE_CAPABILITY): {"models": {self.model: config}}}},
            },
            "capabilities_prices": [
                {
                    "pricePerUnit": self.price,
                    "pixelsPerUnit": 1,
                    "capability": LIVE_CAPABILITY,
                    "constraint": self.model,
                }
            ],
            "hardware": [
                {
                    "pipeline": LIVE_PIPELINE,
                    "model_id": self.model,
                    "gpu_info": {
                        "0": {
                            "id": gpu.id,
                            "name": gpu.name,
                            "major": gpu.major,
                            "minor": gpu.minor,
                            "memory_free": gpu.memory - rng.randrange(_GIB // 4, gpu.memory // 2),
                            "memory_total": gpu.memory,
                        }
                    },
                }
                for gpu in self.gpus
            ],
        }


@final
@attrs.frozen(slots=True)
class Gateway:
    """``orchestrators`` are those it knows and sends streams to.

    An older gateway announces each orchestrator in an event of its own, as an object; the others
    announce all of them in one array (spec/events.md section 3.4 allows both).
    """

    name: str
    wallet: str
    orchestrators: tuple[Orchestrator, ...]
    older: bool


def uuid(rng: Random) -> str:
    """A random UUID, version 4."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def gateways(rng: Random) -> tuple[Gateway, ...]:
    """Four gateways over one pool of orchestrators; each model is served by several of them."""
    pool = [
        _orchestrator(rng, index, model)
        for index, model in enumerate(_LIVE_MODELS * _ORCHESTRATORS_PER_MODEL, start=1)
    ]
    half = len(pool) // 2
    return tuple(
        Gateway(
            name=name,
            wallet=_wallet(rng),
            orchestrators=tuple(pool[:half] if index % 2 else pool[half:]),
            older=name.endswith("-legacy"),
        )
        for index, name in enumerate(("gateway-fra-1", "gateway-nyc-1", "gateway-sin-1", "gateway-lon-legacy"))
    )


def announcements(rng: Random, gateway: Gateway, start: int) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
    """Capability snapshots every few minutes without end, each as (next wake-up, events), times in epoch ms."""
    now = start
    while True:
        snapshot = [orchestrator.capabilities(rng) for orchestrator in gateway.orchestrators]
        payloads: list[Any] = list(snapshot) if gateway.older else [snapshot]
        events = [
            (now + 20 * index, capability_event(rng, gateway, now + 20 * index, payload))
            for index, payload in enumerate(payloads)
        ]
        now += 240_000 + rng.randrange(120_000)
        yield now, events


def capability_event(rng: Random, gateway: Gateway, at: int, payload: Any) -> bytes:
    return msgspec.json.encode(
        {
            "id": uuid(rng),
            "type": "network_capabilities",
            "timestamp": str(at),
            "gateway": gateway.name,
            "data": payload,
        }
    )


def _orchestrator(rng: Random, index: int, model: str) -> Orchestrator:
    wallet = _wallet(rng)
    name, major, minor, memory = _GPUS[rng.randrange(len(_GPUS))]
    return Orchestrator(
        wallet=wallet,
        proxy=wallet if rng.random() < 0.25 else _wallet(rng),
        url=f"https://orch-{index:02d}.example.net:{8930 + rng.randrange(20)}",
        model=model,
        gpus=tuple(
            Gpu(f"GPU-{uuid(rng)}", name, major, minor, memory) for _ in range(1 + rng.randrange(3))
        ),
        version=f"0.8.{7 + rng.randrange(4)}",
        runner_version=f"0.14.{rng.randrange(3)}",
        price=1500 + rng.randrange(200),
    )


def _wallet(rng: Random) -> str:
    """An address in mixed case, as wallets show it."""
    digits = f"{rng.getrandbits(160):040x}"
    return "0x" + "".join(digit.upper() if rng.random() < 0.5 else digit for digit in digits)
