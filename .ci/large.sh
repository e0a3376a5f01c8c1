#!/usr/bin/env bash
# The tests that are #[ignore = "large"], in release. Their names begin with large_.
. "$(dirname "$0")/_common.sh"
log=$(mktemp); trap 'rm -f "$log"' EXIT
cargo test --locked --release --workspace --exclude mail-benches --lib --bins --tests --examples -- --ignored --test-threads=1 large_ 2>&1 | tee "$log"
ran=$(awk '/^test result:/ { n += $4 } END { print n + 0 }' "$log")
named=$(git grep -hA3 -F '#[ignore = "large"]' -- '*.rs' | grep -cE 'fn large_' || true)
marked=$(git grep -hF '#[ignore = "large"]' -- '*.rs' | wc -l)
say "$ran large tests ran; $marked are marked, $named of them named so"
[ "$ran" -gt 0 ] && [ "$marked" = "$named" ] && [ "$ran" -ge "$named" ] || die "a large test did not run"
