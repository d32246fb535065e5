"""Savepoints of a consumer group: its committed offsets and the claims on this machine."""
