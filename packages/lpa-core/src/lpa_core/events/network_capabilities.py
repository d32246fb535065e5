"""``network_capabilities``: what orchestrators offer; one event fans out into four tables.

Source of every rule: docs/spec/events.md section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import msgspec

from lpa_core.events.capability_catalog import CATALOG_VERSION, CatalogEntry, capability
from lpa_core.events.coercion import address, whole_number
from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import (
    EventStruct,
    Flag,
    NullableInt32,
    NullableInt64,
    NullableText,
    NullableUInt64,
    Text,
)
from lpa_core.tables.table import Column, Kind, Table


@final
class GpuInfo(msgspec.Struct, frozen=True, gc=False):
    id: NullableText = None
    name: NullableText = None
    memory_total: NullableUInt64 = None
    memory_free: NullableUInt64 = None
    major: NullableInt32 = None
    minor: NullableInt32 = None


@final
class Hardware(msgspec.Struct, frozen=True, gc=False):
    pipeline: Text = ""
    model_id: Text = ""
    gpu_info: dict[str, GpuInfo] | None = None


@final
class ModelConfig(msgspec.Struct, frozen=True, gc=False):
    runnerVersion: NullableText = None
    capacity: NullableInt32 = None
    capacityInUse: NullableInt32 = None
    warm: Flag = None


@final
class CapabilityConstraints(msgspec.Struct, frozen=True, gc=False):
    models: dict[str, ModelConfig] | None = None


@final
class Constraints(msgspec.Struct, frozen=True, gc=False):
    PerCapability: dict[str, CapabilityConstraints] | None = None


@final
class Capabilities(msgspec.Struct, frozen=True, gc=False):
    version: Text = ""
    capacities: dict[str, NullableInt32] | None = None
    constraints: Constraints | None = None


@final
class Price(msgspec.Struct, frozen=True, gc=False):
    capability: NullableInt32 = None
    constraint: NullableText = None
    pricePerUnit: NullableInt64 = None
    pixelsPerUnit: NullableInt64 = None


@final
class Orchestrator(EventStruct, frozen=True, gc=False):
    address: Text = ""
    local_address: Text = ""
    orch_uri: Text = ""
    capabilities: Capabilities | None = None
    capabilities_prices: list[Price] | None = None
    hardware: list[Hardware] | None = None


_ORCHESTRATOR = (
    Column("source_event_id", Kind.TEXT),
    Column("orchestrator_address", Kind.TEXT),
    Column("local_address", Kind.TEXT),
    Column("orch_uri", Kind.TEXT),
)
_CAPABILITY = (
    Column("capability_id", Kind.INT32),
    Column("capability_name", Kind.LABEL),
    Column("capability_group", Kind.LABEL),
    Column("capability_catalog_version", Kind.LABEL),
)
_MODEL_CONFIG = (
    Column("runner_version", Kind.TEXT, nullable=True),
    Column("capacity", Kind.INT32, nullable=True),
    Column("capacity_in_use", Kind.INT32, nullable=True),
    Column("warm", Kind.INT32, nullable=True),
)
_PRICE = (
    Column("price_per_unit", Kind.INT64, nullable=True),
    Column("pixels_per_unit", Kind.INT64, nullable=True),
)

HARDWARE_TABLE = typed_table(
    "network_capabilities",
    *_ORCHESTRATOR,
    Column("gpu_id", Kind.TEXT, nullable=True),
    Column("gpu_name", Kind.TEXT, nullable=True),
    Column("gpu_memory_total", Kind.UINT64, nullable=True),
    Column("gpu_memory_free", Kind.UINT64, nullable=True),
    Column("gpu_major", Kind.INT32, nullable=True),
    Column("gpu_minor", Kind.INT32, nullable=True),
    Column("pipeline", Kind.TEXT),
    Column("model_id", Kind.TEXT),
    *_CAPABILITY,
    *_MODEL_CONFIG,
    *_PRICE,
    Column("orchestrator_version", Kind.TEXT),
    order_by=("orchestrator_address", "orch_uri", "pipeline", "model_id"),
)
ADVERTISED_TABLE = typed_table(
    "network_capabilities_advertised",
    *_ORCHESTRATOR,
    *_CAPABILITY,
    Column("capacity", Kind.INT32, nullable=True),
    order_by=("orchestrator_address", "capability_id"),
)
MODEL_CONSTRAINTS_TABLE = typed_table(
    "network_capabilities_model_constraints",
    *_ORCHESTRATOR,
    *_CAPABILITY,
    Column("model_id", Kind.TEXT),
    *_MODEL_CONFIG,
    order_by=("orchestrator_address", "capability_id", "model_id"),
)
PRICES_TABLE = typed_table(
    "network_capabilities_prices",
    *_ORCHESTRATOR,
    *_CAPABILITY,
    Column("constraint_name", Kind.TEXT, nullable=True),
    *_PRICE,
    order_by=("orchestrator_address", "capability_id"),
)

_NO_CONFIG = ModelConfig()
_NO_PRICE = Price()
_NO_GPU = GpuInfo()
_NO_CAPABILITIES = Capabilities()

_MAX_INT32 = 2**31 - 1


def _capability_number(key: str | None) -> int | None:
    number = whole_number(key)
    return number if number is not None and abs(number) <= _MAX_INT32 else None


def _capability_values(found: CatalogEntry) -> Row:
    return (found.id, found.name, found.group, CATALOG_VERSION)


def _config_values(config: ModelConfig) -> Row:
    warm = None if config.warm is None else int(config.warm)
    return (config.runnerVersion or None, config.capacity, config.capacityInUse, warm)


def _choose_config(orchestrator: Orchestrator, model_id: str) -> tuple[str | None, ModelConfig]:
    """The capability id and configuration for a model: its own, else the first model of the first capability."""
    capabilities = orchestrator.capabilities or _NO_CAPABILITIES
    per_capability = (capabilities.constraints and capabilities.constraints.PerCapability) or {}
    for key, constraints in per_capability.items():
        if constraints.models and model_id in constraints.models:
            return key, constraints.models[model_id]
    for key, constraints in per_capability.items():
        for config in (constraints.models or {}).values():
            return key, config
        break
    return None, _NO_CONFIG


def _choose_price(prices: list[Price] | None, capability_id: int | None, model_id: str) -> Price:
    for price in prices or ():
        if capability_id in (None, price.capability) and model_id in ("", price.constraint or ""):
            return price
    return prices[0] if prices else _NO_PRICE


def _hardware_rows(orchestrator: Orchestrator, leading: Row) -> Iterator[tuple[Table, Row]]:
    version = orchestrator.capabilities.version if orchestrator.capabilities else ""
    for hardware in orchestrator.hardware or ():
        key, config = _choose_config(orchestrator, hardware.model_id)
        number = _capability_number(key)
        price = _choose_price(orchestrator.capabilities_prices, number, hardware.model_id)
        found = capability(price.capability if number is None else number)
        for gpu in (hardware.gpu_info or {"": _NO_GPU}).values():
            yield (
                HARDWARE_TABLE,
                (
                    *leading,
                    gpu.id or None,
                    gpu.name or None,
                    gpu.memory_total,
                    gpu.memory_free,
                    gpu.major,
                    gpu.minor,
                    hardware.pipeline,
                    hardware.model_id,
                    *_capability_values(found),
                    *_config_values(config),
                    price.pricePerUnit,
                    price.pixelsPerUnit,
                    version,
                ),
            )


def _orchestrator_rows(envelope: Envelope, orchestrator: Orchestrator) -> Iterator[tuple[Table, Row]]:
    leading = (
        envelope.id,
        address(orchestrator.address),
        address(orchestrator.local_address),
        orchestrator.orch_uri,
    )
    yield from _hardware_rows(orchestrator, leading)
    capabilities = orchestrator.capabilities or _NO_CAPABILITIES
    for key, capacity in (capabilities.capacities or {}).items():
        number = _capability_number(key)
        if number is not None:
            yield ADVERTISED_TABLE, (*leading, *_capability_values(capability(number)), capacity)
    per_capability = (capabilities.constraints and capabilities.constraints.PerCapability) or {}
    for key, constraints in per_capability.items():
        found = capability(_capability_number(key))
        for model_id, config in (constraints.models or {}).items():
            yield (
                MODEL_CONSTRAINTS_TABLE,
                (*leading, *_capability_values(found), model_id, *_config_values(config)),
            )
    for price in orchestrator.capabilities_prices or ():
        yield (
            PRICES_TABLE,
            (
                *leading,
                *_capability_values(capability(price.capability)),
                price.constraint or None,
                price.pricePerUnit,
                price.pixelsPerUnit,
            ),
        )


def _shape(envelope: Envelope, data: Any) -> Iterator[tuple[Table, Row]]:
    orchestrators: list[Orchestrator] = data if isinstance(data, list) else [data]
    for orchestrator in orchestrators:
        yield from _orchestrator_rows(envelope, orchestrator)


EVENT_TYPE = EventType(
    name="network_capabilities",
    model=list[Orchestrator] | Orchestrator,
    required=("data",),
    tables=(HARDWARE_TABLE, ADVERTISED_TABLE, MODEL_CONSTRAINTS_TABLE, PRICES_TABLE),
    shape=_shape,
    requires_container=True,
)
