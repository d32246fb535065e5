"""``lpa console``: pages that show what the other commands say. It has no logic of its own."""
