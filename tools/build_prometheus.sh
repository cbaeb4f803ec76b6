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
. "$(dirname "${BASH_SOURCE[0]}")/go_program.sh"
need_go
key=$release-$(printf '%s' "$module_version $tags $go_version" | sha256sum | cut -c1-8)
program=$cache/$key/prometheus
find_or_begin "$program" "$jobs" "${1:-}"

export GOBIN=$work
run "fetch the module" go mod download "$module@$module_version" || not_run "the module proxy does not answer"
run "compile" go install -tags "$tags" -ldflags "-X github.com/prometheus/common/version.Version=$release" \
  "$module/cmd/prometheus@$module_version"
built "$work/prometheus" "$program" "Prometheus $release"
