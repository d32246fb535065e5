"""``network_capabilities``: what orchestrators offer; one event fans out into four tables.

Source of every rule: docs/spec/events.md section 3.4, docs/spec/producers.md section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import msgspec

from lpa_core.events.capability_catalog import BYOC, CATALOG_VERSION, CatalogEntry, capability, pipeline_of
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
class CapabilityOption(msgspec.Struct, frozen=True, gc=False):
    model: Text = ""
    model_id: Text = ""


@final
class Orchestrator(EventStruct, frozen=True, gc=False):
    address: Text = ""
    local_address: Text = ""
    orch_uri: Text = ""
    capabilities: Capabilities | None = None
    capabilities_prices: list[Price] | None = None
    price_info: Price | None = None
    capability_options: dict[str, list[CapabilityOption]] | None = None
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


def _per_capability(orchestrator: Orchestrator) -> dict[str, CapabilityConstraints]:
    capabilities = orchestrator.capabilities or _NO_CAPABILITIES
    return (capabilities.constraints and capabilities.constraints.PerCapability) or {}


def _choose_config(orchestrator: Orchestrator, pipeline: str, model_id: str) -> tuple[str | None, ModelConfig]:
    """The capability id and configuration for a model: its own, else the first model of the first capability.

    What a BYOC price names is of that capability, of which nobody tells a configuration.
    """
    per_capability = _per_capability(orchestrator)
    for key, constraints in per_capability.items():
        if constraints.models and model_id in constraints.models:
            return key, constraints.models[model_id]
    if _byoc_price(orchestrator.capabilities_prices, pipeline) is not None:
        return str(BYOC), _NO_CONFIG
    for key, constraints in per_capability.items():
        for config in (constraints.models or {}).values():
            return key, config
        break
    return None, _NO_CONFIG


def _byoc_price(prices: list[Price] | None, name: str) -> Price | None:
    for price in prices or ():
        if price.capability == BYOC and name and price.constraint == name:
            return price
    return None


def _choose_price(prices: list[Price] | None, capability_id: int | None, pipeline: str, model_id: str) -> Price:
    for price in prices or ():
        if capability_id in (None, price.capability) and model_id in ("", price.constraint or ""):
            return price
    return _byoc_price(prices, pipeline) or (prices[0] if prices else _NO_PRICE)


def _offers(orchestrator: Orchestrator) -> Iterator[tuple[str, str, str | None, ModelConfig, GpuInfo]]:
    """Each pipeline and model with its capability id, its configuration and a GPU; also those without hardware."""
    for hardware in orchestrator.hardware or ():
        key, config = _choose_config(orchestrator, hardware.pipeline, hardware.model_id)
        for gpu in (hardware.gpu_info or {"": _NO_GPU}).values():
            yield hardware.pipeline, hardware.model_id, key, config, gpu
    if not orchestrator.hardware:
        for key, constraints in _per_capability(orchestrator).items():
            pipeline = pipeline_of(number) if (number := _capability_number(key)) is not None else ""
            for model_id, config in (constraints.models or {}).items() if pipeline else ():
                yield pipeline, model_id, key, config, _NO_GPU
    named = {hardware.pipeline for hardware in orchestrator.hardware or ()}
    for name, options in (orchestrator.capability_options or {}).items():
        for option in options if name not in named else ():
            yield name, option.model or option.model_id, str(BYOC), _NO_CONFIG, _NO_GPU


def _hardware_rows(orchestrator: Orchestrator, leading: Row) -> Iterator[tuple[Table, Row]]:
    version = orchestrator.capabilities.version if orchestrator.capabilities else ""
    for pipeline, model_id, key, config, gpu in _offers(orchestrator):
        number = _capability_number(key)
        price = _choose_price(orchestrator.capabilities_prices, number, pipeline, model_id)
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
                pipeline,
                model_id,
                *_capability_values(capability(price.capability if number is None else number)),
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
    for key, constraints in _per_capability(orchestrator).items():
        found = capability(_capability_number(key))
        for model_id, config in (constraints.models or {}).items():
            yield (
                MODEL_CONSTRAINTS_TABLE,
                (*leading, *_capability_values(found), model_id, *_config_values(config)),
            )
    for price in orchestrator.capabilities_prices or ():
        named = (*_capability_values(capability(price.capability)), price.constraint or None)
        yield PRICES_TABLE, (*leading, *named, price.pricePerUnit, price.pixelsPerUnit)
    general = orchestrator.price_info
    if general is not None:
        unnamed = (*_capability_values(capability(None)), None)
        yield PRICES_TABLE, (*leading, *unnamed, general.pricePerUnit, general.pixelsPerUnit)


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
