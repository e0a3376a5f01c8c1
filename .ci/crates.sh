#!/usr/bin/env bash
# How many crates a user gets, where they come from and under which licences.
. "$(dirname "$0")/_common.sh"
suite='^mail-(wire|smtp-proto|imap-proto|pop3-proto|session) '
# The crates that a package brings to a program, without the suite's own and without what only builds or tests it.
count() {
  local most=$1 n; shift
  n=$(cargo tree --locked --edges normal --prefix none "$@" | sed 's/ (\*)$//' | grep -vE "$suite" | grep -v '^$' | sort -u | wc -l)
  say "$(printf '%3d crates, at most %d: %s' "$n" "$most" "$*")"
  [ "$n" -le "$most" ] || die "too many: $*"
}
count 30 -p mail-session
count 35 -p mail-session --features tokio
for p in "${wire_crates[@]}"; do count 12 -p "$p"; done
cargo metadata --locked --format-version 1 --all-features | python3 .ci/crates.py
