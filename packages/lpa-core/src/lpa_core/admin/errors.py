"""What can be wrong with the admin endpoint itself."""

from __future__ import annotations


class AdminError(Exception):
    """The admin endpoint cannot be offered. The message names its setting and the remedy, in one line."""
