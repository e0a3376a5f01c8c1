#!/usr/bin/env bash
# Each feature of each library alone, none, the default, all. The list comes from the manifests, so a new feature is covered.
. "$(dirname "$0")/_common.sh"
features() {
  cargo metadata --locked --no-deps --format-version 1 |
    python3 -c 'import json, sys
for p in json.load(sys.stdin)["packages"]:
    if p["name"] == sys.argv[1]: print(*sorted(p["features"]), sep="\n")' "$1"
}
tried=0
log=$(mktemp); trap 'rm -f "$log"' EXIT
# A warning counts: what one feature alone leaves unused is seen here and nowhere else.
try() {
  say "  $*"
  cargo check --locked --quiet --lib "$@" 2>"$log" || { cat "$log"; die "does not compile: $*"; }
  ! grep -A8 '^warning' "$log" || die "warnings with $*"
  tried=$((tried + 1))
}
for p in "${libraries[@]}"; do
  try -p "$p" --no-default-features
  for f in $(features "$p"); do
    if [ "$f" = default ]; then try -p "$p"; else try -p "$p" --no-default-features --features "$f"; fi
  done
  try -p "$p" --all-features
done
say "$tried combinations compile"
