#!/usr/bin/env bash
# The wire crates with default features off, linked into a program without std and run.
. "$(dirname "$0")/_common.sh"
need nm binutils; need cc gcc
outside .ci/nostd
export CARGO_TARGET_DIR=$target/nostd
cargo build --release --manifest-path .ci/nostd/Cargo.toml
archive=$CARGO_TARGET_DIR/release/libnostd_link.a
# Both the legacy names and the v0 ones are demangled; std's own symbols begin with its path.
if nm -C "$archive" 2>/dev/null | grep -E '(^| |<|\()std::|_ZN3std|C[0-9a-zA-Z]*_3std' | head; then
  die "std is referenced"
fi
cc -O1 .ci/nostd/main.c "$archive" -o "$CARGO_TARGET_DIR/nostd-link"
"$CARGO_TARGET_DIR/nostd-link"
