#!/usr/bin/env bash
# The README's second command: no network, no server, five minutes at the most after the build.
. "$(dirname "$0")/_common.sh"
cargo test --locked --no-run
begun=$SECONDS
cargo test --locked --no-fail-fast
took=$((SECONDS - begun))
say "cargo test took $took s after the build"
[ "$took" -le 300 ] || die "more than 300 s"
