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
began=$SECONDS

not_run() {
  echo "not run: needs Go ($1)" >&2
  exit 3
}

# run WHAT COMMAND...: its output is shown only when it fails.
run() {
  echo "$1 ..." >&2
  "${@:2}" >"$work/last.log" 2>&1 || {
    tail -n 40 "$work/last.log" >&2
    return 1
  }
}

command -v go >/dev/null || not_run "no go command"
go_version=$(go env GOVERSION 2>/dev/null) || not_run "go does not start"
key=$(printf '%s %s' "$go_version" "$module" | sha256sum | cut -c1-16)
program=$cache/$key/jaeger

if [ "${1:-}" = --find ]; then
  [ -x "$program" ] || exit 1
  printf '%s\n' "$program"
  exit 0
fi

mkdir -p "$cache/$key"
exec 9>"$cache/$key/lock"
flock 9
if [ ! -x "$program" ]; then
  work=$(mktemp -d "$cache/$key/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  export GOMAXPROCS=$jobs GOFLAGS="$(go env GOFLAGS) -p=$jobs" GOWORK=off CGO_ENABLED=0
  cd "$work"
  run "name a module" go mod init otel-carbon.example/jaeger
  run "fetch the modules" go get -tool "$module" || not_run "the module proxy does not answer"
  run "compile" go build -trimpath -ldflags "-s -w" -o jaeger "${module%@*}"
  mv jaeger "$program"
  echo "jaeger: $(($(stat -c %s "$program") / 1048576)) MiB, built in $((SECONDS - began)) s" >&2
fi
printf '%s\n' "$program"
