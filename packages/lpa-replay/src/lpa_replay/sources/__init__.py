"""Where records are replayed from."""
