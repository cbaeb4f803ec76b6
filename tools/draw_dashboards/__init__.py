"""Pictures of the dashboards, drawn by Grafana's own components in a browser; an optional job, see README.md here."""
