"""The release list of the operations guide as gates, one a module. None of them is passed by not being judged."""

from lpa_ops.release import documentation, notes, parity, rollups, schema, tests

GATES = (tests.GATE, parity.GATE, schema.GATE, rollups.GATE, documentation.GATE, notes.GATE)
"""In the order of the guide."""
