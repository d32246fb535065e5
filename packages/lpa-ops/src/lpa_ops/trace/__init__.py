"""``lpa trace``: from an id or a position to everything that is known of it, as a typed answer."""
