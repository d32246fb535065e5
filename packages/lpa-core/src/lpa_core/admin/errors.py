"""What can be wrong with the admin endpoint itself."""

from __future__ import annotations

from lpa_core.errors import ConfigurationError


class AdminError(ConfigurationError):
    """The admin endpoint cannot be offered. The message names its setting and the remedy, in one line."""
