"""Everything together, as it is deployed: applications, collector, Prometheus, Alertmanager and who is told."""
