# shellcheck shell=bash
# Sourced by the scripts that build a program from its Go module: what they all do around the building itself.
# A program is built once for each key, in a folder of its own below the cache, and whoever builds it too waits.

began=$SECONDS

say() {
  printf '%s\n' "$*" >&2
}

# not_run WHY: Go, or what else a build cannot do without, is not to be had here; that is no failure.
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

# need_go: sets go_version.
need_go() {
  command -v go >/dev/null || not_run "no go command"
  go_version=$(go env GOVERSION 2>/dev/null) || not_run "go does not start"
}

# find_or_begin PROGRAM JOBS [--find]: prints its path and ends, where it was built before; with --find it ends anyhow.
# Else it sets work, a folder that goes with the script, and lets so many compilers run at once.
find_or_begin() {
  local program=$1 jobs=$2
  if [ "${3:-}" = --find ]; then
    [ -x "$program" ] || exit 1
    printf '%s\n' "$program"
    exit 0
  fi
  mkdir -p "$(dirname "$program")"
  exec 9>"$(dirname "$program")/lock"
  flock 9
  if [ -x "$program" ]; then
    say "built before"
    printf '%s\n' "$program"
    exit 0
  fi
  work=$(mktemp -d "$(dirname "$program")/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  export GOMAXPROCS=$jobs GOFLAGS="$(go env GOFLAGS) -p=$jobs" GOWORK=off
}

# built FILE PROGRAM NAME: moves what was built to where it is kept, in one step, and prints its path.
built() {
  mv "$1" "$2"
  say "$3: $(($(stat -c %s "$2") / 1048576)) MiB, built in $((SECONDS - began)) s"
  printf '%s\n' "$2"
}
