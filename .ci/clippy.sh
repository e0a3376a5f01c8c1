#!/usr/bin/env bash
# Lints are errors. The benches bring heavy peers: they are only checked.
. "$(dirname "$0")/_common.sh"
cargo clippy --locked --workspace --exclude mail-benches --all-targets --all-features -- -D warnings
cargo check --locked -p mail-benches --benches
