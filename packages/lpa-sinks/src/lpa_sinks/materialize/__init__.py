"""Facts and rollups, derived from stored events: read what is touched, fold it, replace what was derived before."""
