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
. ../../tools/go_program.sh
need_go
compiler=$(go env CXX)
command -v "${compiler%% *}" >/dev/null || not_run "and a C++ compiler, $compiler"
key=$(printf '%s %s %s' "$go_version" "$module" "$miniaudio" | sha256sum | cut -c1-16)
program=$cache/$key/ollama
find_or_begin "$program" "$jobs" "${1:-}"

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

export GOBIN=$work/bin CGO_ENABLED=1
export CGO_CFLAGS="-O2 -g0" CGO_CXXFLAGS="-O2 -g0 -I$headers"
run "compile" go install -ldflags "-s -w -X=github.com/ollama/ollama/version.Version=$version" "$module"
built "$work/bin/ollama" "$program" "Ollama $version"
