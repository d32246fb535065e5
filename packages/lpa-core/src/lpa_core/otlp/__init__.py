"""Spans of ranges and metrics, sent to a collector of OpenTelemetry over OTLP."""
