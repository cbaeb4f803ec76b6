#!/bin/sh
# Claude Code, counted by the collector from the token metrics that it sends.
#
#     npm install -g @anthropic-ai/claude-code
#     otel-carbon collector --config docs/examples/collector.yaml
#     sh docs/examples/claude_code.sh 'Name a town by the sea.'
#
# The last line shows the grams of CO2e of all that Claude Code did since the collector was started.
export CLAUDE_CODE_ENABLE_TELEMETRY=1
export OTEL_METRICS_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://localhost:4318}"

claude --print "$@"
curl --silent "${CARBON_METRICS:-http://localhost:9464/metrics}" | grep '^otel_carbon_emissions_grams_total'
