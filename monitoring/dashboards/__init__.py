"""Grafana dashboards: `python -m monitoring.dashboards` writes grafana/*.json."""
