"""The Grafana dashboards as code: queries, panels, and one module for each dashboard."""
