#!/usr/bin/env bash
# How the cost of reading grows with what is read, counted in instructions. In full, without PART: see benches/RESULTS.md.
. "$(dirname "$0")/_common.sh"
need valgrind valgrind
PART=${PART:-32} cargo run --locked --quiet --release -p mail-growth
