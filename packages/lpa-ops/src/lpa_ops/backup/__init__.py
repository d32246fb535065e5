"""Backups: the database, and how far its sources are read, as of one moment."""
