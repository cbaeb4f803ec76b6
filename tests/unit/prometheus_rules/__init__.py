"""The rules in deploy/prometheus, evaluated by the real promtool."""
