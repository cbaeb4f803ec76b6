#!/usr/bin/env bash
# Builds a current Prometheus from its Go module, and prints the path of the program: tests compare what it makes of OTLP,
# which the Prometheus of Debian does not take. Without the web page and without service discovery, which no test uses.
# Needs Go and its module proxy. Built once for each version and Go: a second run only prints the path.
#
#   PROMETHEUS3_CACHE  where it is built and kept (default ~/.cache/otel-carbon/prometheus)
#   PROMETHEUS3_JOBS   how many compilers run at once (default 2)
#
# With --find nothing is built: it prints the path of what was built before, or ends with 1.
# Ends with 3 and `not run: needs Go` where there is no Go, or no module to be had; with 1 where the build fails.
set -euo pipefail

module=github.com/prometheus/prometheus
module_version=v0.316.0 # how the module counts what is released as 3.16.0
release=3.16.0
tags=remove_all_sd
cache=${PROMETHEUS3_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/otel-carbon/prometheus}
jobs=${PROMETHEUS3_JOBS:-2}
began=$SECONDS

say() {
  printf '%s\n' "$*" >&2
}

not_run() {
  say "not run: needs Go ($1)"
  exit 3
}

command -v go >/dev/null || not_run "no go command"
go_version=$(go env GOVERSION 2>/dev/null) || not_run "go does not start"
key=$release-$(printf '%s' "$module_version $tags $go_version" | sha256sum | cut -c1-8)
program=$cache/$key/prometheus

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

say "fetch the module ..."
go mod download "$module@$module_version" >"$work/last.log" 2>&1 || not_run "the module proxy does not answer"
say "compile ..."
if ! go install -tags "$tags" -ldflags "-X github.com/prometheus/common/version.Version=$release" \
  "$module/cmd/prometheus@$module_version" >"$work/last.log" 2>&1; then
  tail -n 40 "$work/last.log" >&2
  exit 1
fi
mv "$work/prometheus" "$program"
say "Prometheus $release: $(($(stat -c %s "$program") / 1048576)) MiB, built in $((SECONDS - began)) s"
printf '%s\n' "$program"
