#!/usr/bin/env bash
# A crate that names mail-session alone: its client and its server compile and talk to each other, blocking and on tokio.
. "$(dirname "$0")/_common.sh"
outside .ci/consumer
export CARGO_TARGET_DIR=$target/consumer
run() {
  cargo build --quiet --manifest-path .ci/consumer/Cargo.toml "$@"
  timeout 60 "$CARGO_TARGET_DIR/debug/mail-consumer"
}
run
run --features tokio
# The suite's crates come as dependencies of mail-session; none is named.
if grep -E '^mail-(wire|smtp-proto|imap-proto|pop3-proto)' .ci/consumer/Cargo.toml; then die "names more than mail-session"; fi
