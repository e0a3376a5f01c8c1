#!/usr/bin/env bash
. "$(dirname "$0")/_common.sh"
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --workspace --exclude mail-benches --all-features
