"""Replay of rejected and archived records, and its verification."""
