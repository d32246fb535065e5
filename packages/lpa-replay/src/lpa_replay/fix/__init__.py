"""Repairs that a file declares: ``--fix FILE.toml``."""
