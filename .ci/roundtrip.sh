#!/usr/bin/env bash
# The README's first command.
. "$(dirname "$0")/_common.sh"
timeout 600 cargo run --locked --example roundtrip
