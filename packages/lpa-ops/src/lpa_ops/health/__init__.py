"""Whether all is well: the checks, and what they share."""
