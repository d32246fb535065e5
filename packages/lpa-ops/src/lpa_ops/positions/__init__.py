"""Which positions of a partition are stored, which are gaps, and which are missing."""
