"""Decides about every record before anything is sent."""
