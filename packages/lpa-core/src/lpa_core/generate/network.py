"""The imaginary network that generated events speak of: gateways, orchestrators, their GPUs and prices."""

from __future__ import annotations

from random import Random
from typing import Any, final

import attrs

LIVE_PIPELINE = "live-video-to-video"
LIVE_CAPABILITY = 35
"""Id of the live pipeline in the capability catalog (docs/spec/events.md section 3.4.1)."""

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
_ORCHESTRATORS_PER_MODEL = 4
_TRANSCODING = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 26)

_STREAMS_OF_A_GPU = 32
"""Few orchestrators serve all streams, no matter how many are generated."""


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
class GeneratedOrchestrator:
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
        capabilities = (*_TRANSCODING, LIVE_CAPABILITY)
        config = {
            "warm": True,
            "capacity": _STREAMS_OF_A_GPU * len(self.gpus) - in_use,
            "runnerVersion": self.runner_version,
            "capacityInUse": in_use,
        }
        price = {
            "pricePerUnit": self.price,
            "pixelsPerUnit": 1,
            "capability": LIVE_CAPABILITY,
            "constraint": self.model,
        }
        return {
            "address": self.wallet,
            "local_address": self.proxy,
            "orch_uri": self.url,
            "capabilities": {
                "bitstring": [sum(1 << capability for capability in capabilities)],
                "capacities": {str(capability): len(self.gpus) for capability in capabilities},
                "version": self.version,
                "constraints": {"PerCapability": {str(LIVE_CAPABILITY): {"models": {self.model: config}}}},
            },
            "capabilities_prices": [price],
            "hardware": [self._hardware(rng, gpu) for gpu in self.gpus],
        }

    def _hardware(self, rng: Random, gpu: Gpu) -> dict[str, Any]:
        info = {
            "id": gpu.id,
            "name": gpu.name,
            "major": gpu.major,
            "minor": gpu.minor,
            "memory_free": gpu.memory - rng.randrange(_GIB // 4, gpu.memory // 2),
            "memory_total": gpu.memory,
        }
        return {"pipeline": LIVE_PIPELINE, "model_id": self.model, "gpu_info": {"0": info}}


@final
@attrs.frozen(slots=True)
class Gateway:
    """``orchestrators`` are those it knows and sends streams to.

    An older gateway announces each orchestrator in an event of its own, as an object; the others
    announce all of them in one array (docs/spec/events.md section 3.4 allows both).
    """

    name: str
    wallet: str
    orchestrators: tuple[GeneratedOrchestrator, ...]
    older: bool


def gateways(rng: Random) -> tuple[Gateway, ...]:
    """Four gateways over one pool of orchestrators; each serves all models, with two orchestrators each."""
    pool = [
        _orchestrator(rng, index, model) for index, model in enumerate(_LIVE_MODELS * _ORCHESTRATORS_PER_MODEL, start=1)
    ]
    near, far = tuple(pool[: len(pool) // 2]), tuple(pool[len(pool) // 2 :])
    return (
        Gateway("gateway-fra-1", wallet(rng), near, older=False),
        Gateway("gateway-nyc-1", wallet(rng), far, older=False),
        Gateway("gateway-lon-1", wallet(rng), near, older=False),
        Gateway("gateway-sin-1", wallet(rng), far, older=True),
    )


def uuid(rng: Random) -> str:
    """A random UUID, version 4."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def wallet(rng: Random) -> str:
    """An address in mixed case, as wallets show it."""
    digits = f"{rng.getrandbits(160):040x}"
    return "0x" + "".join(digit.upper() if rng.random() < 0.5 else digit for digit in digits)


def _orchestrator(rng: Random, index: int, model: str) -> GeneratedOrchestrator:
    canonical = wallet(rng)
    name, major, minor, memory = _GPUS[rng.randrange(len(_GPUS))]
    return GeneratedOrchestrator(
        wallet=canonical,
        proxy=canonical if rng.random() < 0.25 else wallet(rng),
        url=f"https://orch-{index:02d}.example.net:{8930 + rng.randrange(20)}",
        model=model,
        gpus=tuple(Gpu(f"GPU-{uuid(rng)}", name, major, minor, memory) for _ in range(1 + rng.randrange(2))),
        version=f"0.8.{7 + rng.randrange(4)}",
        runner_version=f"0.14.{rng.randrange(3)}",
        price=1500 + rng.randrange(200),
    )
