"""Grafana dashboards: what they show, and the files that Grafana reads."""
