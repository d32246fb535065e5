"""The commands of ``lpa flink``, one module a subject."""
