#!/usr/bin/env bash
# Builds Ollama from its Go module, for the processor only, and prints the path of the program.
# Needs Go and its module proxy, a C++ compiler, pip, and the headers of nlohmann-json3-dev and libstb-dev.
# Built once for each version and Go: a second run only prints the path.
#
#   OLLAMA_CACHE  where it is built and kept (default ~/.cache/otel-carbon/ollama)
#   OLLAMA_JOBS   how many compilers run at once (default 2); each takes up to about a gigabyte of memory
#
# With --find nothing is built: it prints the path of what was built before, or ends with 1.
# Ends with 3 and `not run: needs Go` where there is no Go, no C++ compiler or no module to be had; with 1 where the
# build fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=0.17.4
module=github.com/ollama/ollama@v$version
# A header that Ollama's own sources include, and that its module leaves out as all that is in folders named `vendor`.
# This package of Python carries it; nlohmann-json3-dev and libstb-dev have the other two.
miniaudio=1.71
cache=${OLLAMA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/otel-carbon/ollama}
jobs=${OLLAMA_JOBS:-2}
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
compiler=$(go env CXX)
command -v "${compiler%% *}" >/dev/null || not_run "and a C++ compiler, $compiler"
key=$(printf '%s %s %s' "$go_version" "$module" "$miniaudio" | sha256sum | cut -c1-16)
program=$cache/$key/ollama

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

printf '#include <nlohmann/json.hpp>\n#include <stb/stb_image.h>\n' >"$work/headers.cpp"
# shellcheck disable=SC2086 - a compiler may have options
run "look for headers" $compiler -fsyntax-only "$work/headers.cpp" || {
  say "install them with: apt-get install --no-install-recommends nlohmann-json3-dev libstb-dev"
  exit 1
}
run "fetch Ollama" go mod download "$module" || not_run "the module proxy does not answer"
# Its place is the same each time: it is among the flags, and what was compiled with others is compiled anew.
headers=$cache/headers-$miniaudio
if ! [ -s "$headers/miniaudio/miniaudio.h" ]; then
  mkdir -p "$headers"
  run "fetch a header" "${PYTHON:-python3}" -m pip download --no-deps --no-binary :all: -d "$work" "miniaudio==$miniaudio"
  tar -x -z -C "$headers" --strip-components=1 -f "$work/miniaudio-$miniaudio.tar.gz" \
    "miniaudio-$miniaudio/miniaudio/miniaudio.h" "miniaudio-$miniaudio/LICENSE"
fi

export GOMAXPROCS=$jobs GOFLAGS="$(go env GOFLAGS) -p=$jobs" GOBIN=$work/bin GOWORK=off CGO_ENABLED=1
export CGO_CFLAGS="-O2 -g0" CGO_CXXFLAGS="-O2 -g0 -I$headers"
run "compile" go install -ldflags "-s -w -X=github.com/ollama/ollama/version.Version=$version" "$module"
mv "$work/bin/ollama" "$program"
say "Ollama $version: $(($(stat -c %s "$program") / 1048576)) MiB, built in $((SECONDS - began)) s"
printf '%s\n' "$program"
