"""A cluster of Flink on this machine, for trying: a job manager, and task managers."""
