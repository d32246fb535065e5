"""Erasing the events of one person from tables and archives."""
