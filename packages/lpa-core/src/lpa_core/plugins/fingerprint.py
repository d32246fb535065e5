"""The fingerprint of everything that decides verdicts: settings, and plugins that judge."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from lpa_core.plugins.plugin import Plugin
from lpa_core.settings.settings import Settings

_JUDGING_HOOKS: Final = {"lpa_event_types", "lpa_validators", "lpa_classify_failure", "lpa_ignore_rules"}


def fingerprint(settings: Settings, plugins: Iterable[Plugin]) -> str:
    """Sixteen hex digits over what decides verdicts; the same in every process. Holds no secrets.

    Records judged again under another fingerprint may be judged differently.
    """
    plugins = [*plugins]
    judging = sorted((plugin.name, plugin.version) for plugin in plugins if _JUDGING_HOOKS.intersection(plugin.hooks))
    names = tuple(plugin.name for plugin in plugins)
    options = {name: dict(settings.plugins.of(name, names)) for name, _ in judging}
    deciding = (
        sorted(settings.quality.supported_versions),
        sorted(settings.quality.ignored_types),
        settings.quality.dedup_ttl_minutes,
        settings.clickhouse.sink_max_record_bytes,
        judging,
        *(given for given in sorted(options.items()) if given[1]),
        *([sorted(settings.quality.topic_org_map)] if settings.quality.topic_org_map else []),
        *_type_files(settings),
        *_masking(settings),
    )
    return hashlib.sha256(msgspec.json.encode(deciding, order="deterministic")).hexdigest()[:16]


def _masking(settings: Settings) -> Iterator[object]:
    """Which paths are masked, and with which key, by a hash that it makes."""
    quality = settings.quality
    if quality.masked_paths:
        probe = hmac.digest(quality.mask_key.encode(), b"fingerprint", "sha256")
        yield {"masked": sorted(quality.masked_paths), "key": probe.hex()}


def _type_files(settings: Settings) -> Iterator[str]:
    """What the files of event types hold, wherever they lie. One that cannot be read declares nothing."""
    for name in settings.lpa.event_types:
        path = Path(name)
        yield hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
