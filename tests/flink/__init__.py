"""The job on a real cluster of Flink."""
