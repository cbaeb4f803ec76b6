"""The built-in page: what the collector has counted, for those who run no dashboards."""
