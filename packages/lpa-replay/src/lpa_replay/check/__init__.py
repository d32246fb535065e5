"""``lpa replay check``: a pinned fixture through every layer, twice, byte for byte."""
