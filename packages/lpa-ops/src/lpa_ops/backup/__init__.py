"""Backups: the database, and where whoever fills it stands, as of one moment."""
