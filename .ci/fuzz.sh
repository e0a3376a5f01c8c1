#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET...]]: replays seeds and corpus on stable, then runs each target for so long (10 s).
# It begins with what is committed in fuzz/corpus, the seeds and what earlier runs have found; what it finds stays below the target
# folder. FUZZ_MINIMISE=1 then writes fuzz/corpus/TARGET anew: few short inputs (FUZZ_LONGEST, 256 octets) that reach what all of these do.
# A run of this kind looks for what broke, not for what is new: it begins with the same seed, and FUZZ_SEED=0 takes another each time.
# Stable Rust and plain cargo: LLVM's coverage pass needs no nightly, and libFuzzer comes as source with libfuzzer-sys.
. "$(dirname "$0")/_common.sh"
seconds=${1:-10}; shift || true
need c++ g++
outside fuzz
export CARGO_TARGET_DIR=$target/fuzz
manifest=(--manifest-path fuzz/Cargo.toml)
cargo test --release "${manifest[@]}" --no-default-features --tests
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for f in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$f" .rs)"); done
bins=(); for t in "${targets[@]}"; do bins+=(--bin "$t"); done
cargo build --release "${manifest[@]}" --no-default-features --bin seed
# With --target the flags stay away from build scripts.
coverage=(-Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing
  -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares)
RUSTFLAGS="${coverage[*]}" cargo build --release "${manifest[@]}" "${bins[@]}" --target "$host"
out=$CARGO_TARGET_DIR/$host/release
bad=0
for t in "${targets[@]}"; do
  # What is found goes into the first folder alone.
  found=$CARGO_TARGET_DIR/corpus/$t seeds=$CARGO_TARGET_DIR/corpus/$t-seeds kept=fuzz/corpus/$t
  "$CARGO_TARGET_DIR/release/seed" "$t" "$seeds"
  mkdir -p "$found" "fuzz/artifacts/$t"
  folders=("$found" "$seeds")
  [ -d "$kept" ] && folders+=("$kept")
  log=$(mktemp)
  if "$out/$t" -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="fuzz/artifacts/$t/" "${folders[@]}" >"$log" 2>&1; then
    say "$t: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
    if [ "${FUZZ_MINIMISE:-0}" = 1 ]; then
      rm -rf "$kept.new"; mkdir -p "$kept.new"
      "$out/$t" -merge=1 -max_len="${FUZZ_LONGEST:-256}" "$kept.new" "${folders[@]}" >"$log" 2>&1
      rm -rf "$kept"; mv "$kept.new" "$kept"
      say "$t: $(find "$kept" -type f | wc -l) inputs of $(cat "$kept"/* | wc -c) octets are kept"
    fi
  else
    tail -n 60 "$log"; say "$t: FAILED, see fuzz/artifacts/$t"; bad=1
  fi
  rm -f "$log"
done
exit "$bad"
