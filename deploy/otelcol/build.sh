#!/usr/bin/env bash
# Builds the official OpenTelemetry Collector of manifest.yaml with its own builder, and prints the path of the program.
# Needs Go and its module proxy. Built once for each manifest and Go: a second run only prints the path.
#
#   OTELCOL_CACHE  where it is built and kept (default ~/.cache/otel-carbon/otelcol)
#   OTELCOL_JOBS   how many compilers run at once (default 2); each takes up to about a gigabyte of memory
#
# With --find nothing is built: it prints the path of what was built before, or ends with 1.
# Ends with 3 and `not run: needs Go` where there is no Go, or no module to be had; with 1 where the build fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

builder=go.opentelemetry.io/collector/cmd/builder@v0.161.0
manifest=$PWD/manifest.yaml
cache=${OTELCOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/otel-carbon/otelcol}
jobs=${OTELCOL_JOBS:-2}
. ../../tools/go_program.sh
need_go
key=$(cat "$manifest" <(printf '%s %s' "$go_version" "$builder") | sha256sum | cut -c1-16)
program=$cache/$key/otelcol
find_or_begin "$program" "$jobs" "${1:-}"

export GOBIN=$work
run "fetch the builder" go mod download "$builder" || not_run "the module proxy does not answer"
run "build the builder" go install "$builder"
# The builder compiles what it wrote in output_path; the other settings are those of the manifest.
sed "s|^dist:|dist:\n  output_path: $work/sources|" "$manifest" >"$work/manifest.yaml"
run "fetch the modules" "$work/builder" --config "$work/manifest.yaml" --skip-compilation
run "compile" "$work/builder" --config "$work/manifest.yaml" --skip-generate --skip-get-modules
built "$work/sources/otelcol" "$program" "otelcol ${builder#*@}"
