"""Realistic events for load, demonstrations and tests."""

from __future__ import annotations

from lpa_core.generate.generator import generate

__all__ = ["generate"]
