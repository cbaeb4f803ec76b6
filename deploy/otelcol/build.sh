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
began=$SECONDS

say() {
  printf '%s\n' "$*" >&2
}

not_run() {
  say "not run: needs Go ($1)"
  exit 3
}

# run WHAT COMMAND...: its output goes to the log, and to the terminal when it fails.
run() {
  local from=$SECONDS
  say "$1 ..."
  if ! "${@:2}" >"$work/last.log" 2>&1; then
    tail -n 40 "$work/last.log" >&2
    return 1
  fi
  say "$1: $((SECONDS - from)) s"
}

command -v go >/dev/null || not_run "no go command"
go_version=$(go env GOVERSION 2>/dev/null) || not_run "go does not start"
key=$(cat "$manifest" <(printf '%s %s' "$go_version" "$builder") | sha256sum | cut -c1-16)
program=$cache/$key/otelcol

if [ "${1:-}" = --find ]; then
  [ -x "$program" ] || exit 1
  printf '%s\n' "$program"
  exit 0
fi

mkdir -p "$cache/$key"
exec 9>"$cache/$key/lock"
flock 9 # whoever else builds the same is waited for, and what he built is taken
if [ -x "$program" ] && "$program" --version >/dev/null 2>&1; then
  say "built before"
  printf '%s\n' "$program"
  exit 0
fi

work=$(mktemp -d "$cache/$key/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GOMAXPROCS=$jobs GOFLAGS="$(go env GOFLAGS) -p=$jobs" GOBIN=$work GOWORK=off

run "fetch the builder" go mod download "$builder" || not_run "the module proxy does not answer"
run "build the builder" go install "$builder"
# The builder compiles what it wrote in output_path; the other settings are those of the manifest.
sed "s|^dist:|dist:\n  output_path: $work/sources|" "$manifest" >"$work/manifest.yaml"
run "fetch the modules" "$work/builder" --config "$work/manifest.yaml" --skip-compilation
run "compile" "$work/builder" --config "$work/manifest.yaml" --skip-generate --skip-get-modules
mv "$work/sources/otelcol" "$program"
say "$("$program" --version): $(($(stat -c %s "$program") / 1048576)) MiB, built in $((SECONDS - began)) s"
printf '%s\n' "$program"
