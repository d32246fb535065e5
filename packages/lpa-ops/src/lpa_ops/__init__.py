"""Triage, health checks, savepoints, backups and recovery."""
