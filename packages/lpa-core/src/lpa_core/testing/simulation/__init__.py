"""A deterministic simulation of the delivery: the real protocol code on models of Kafka, sinks, stores and time.

``simulate(seed)`` runs one world; ``python -m lpa_core.testing.simulation --seeds 0:1000`` many.
"""

from lpa_core.testing.simulation.world import SimulationResult, simulate

__all__ = ["SimulationResult", "simulate"]
