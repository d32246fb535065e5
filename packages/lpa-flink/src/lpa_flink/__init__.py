"""The pipeline as a job on Apache Flink."""
