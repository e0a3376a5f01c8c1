#!/usr/bin/env bash
# All vectors, to the last TOTAL line. The numbers are held against .ci/conformance.expected: `passed` must not fall below it and
# `failed` must not rise above it. Whoever makes more vectors pass raises the line in the same commit.
. "$(dirname "$0")/_common.sh"
log=$(mktemp); trap 'rm -f "$log"' EXIT
read -r least _ most _ < <(grep -v '^#' .ci/conformance.expected)
status=0
timeout 900 cargo run --locked --release --example conformance >"$log" || status=$?
grep -E '^(TOTAL|FAIL)' "$log" | tail -n 60
last=$(tail -n 1 "$log")
[[ $last =~ ^TOTAL.*passed\ ([0-9]+)\ failed\ ([0-9]+)\ skipped\ ([0-9]+) ]] || die "did not come to its last TOTAL line (exit status $status)"
passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
say "expected: at least $least passed, at most $most failed"
[ "$passed" -ge "$least" ] && [ "$failed" -le "$most" ] || die "worse than .ci/conformance.expected"
if [ "$failed" = 0 ]; then [ "$status" = 0 ] || die "exit status $status, though none failed"; fi
if [ "$failed" != 0 ]; then [ "$status" = 1 ] || die "exit status $status with failures: 1 is expected"; fi
