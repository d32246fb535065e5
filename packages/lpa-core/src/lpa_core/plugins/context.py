"""What commands and savepoint keepers are given: the settings in force, and the plugins that are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from lpa_core.plugins.manager import PluginManager


@final
@attrs.frozen
class AppContext:
    """The settings and the plugins of this process.

    Attributes:
        plugins: complete once all are loaded: a command asks them when it runs, not when it is added.
    """

    settings: Settings
    plugins: PluginManager
