#!/usr/bin/env bash
# Builds Jaeger, the trace backend of compose.yaml, from its Go module, and prints the path of the program. It has no pages:
# those are in the image. Needs Go and its module proxy; built once for each version of both.
#
#   JAEGER_CACHE  where it is built and kept (default ~/.cache/otel-carbon/jaeger)
#   JAEGER_JOBS   how many compilers run at once (default 2)
#
# With --find nothing is built: it prints the path of what was built before, or ends with 1.
# Ends with 3 and `not run: needs Go` where there is no Go, or no module to be had; with 1 where the build fails.
set -euo pipefail

# The release 2.13.0 of the image; its modules carry the older numbers.
module=github.com/jaegertracing/jaeger/cmd/jaeger@v1.76.0
cache=${JAEGER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/otel-carbon/jaeger}
jobs=${JAEGER_JOBS:-2}
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/go_program.sh"
need_go
key=$(printf '%s %s' "$go_version" "$module" | sha256sum | cut -c1-16)
program=$cache/$key/jaeger
find_or_begin "$program" "$jobs" "${1:-}"

export CGO_ENABLED=0
cd "$work"
run "name a module" go mod init otel-carbon.example/jaeger
run "fetch the modules" go get -tool "$module" || not_run "the module proxy does not answer"
run "compile" go build -trimpath -ldflags "-s -w" -o jaeger "${module%@*}"
built "$work/jaeger" "$program" "Jaeger ${module#*@}"
