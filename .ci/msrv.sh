#!/usr/bin/env bash
# The libraries compile with Rust 1.85: by a rustup toolchain of that version where there is one, else by Debian's packages
# rustc-web and cargo-web. Dependencies that only tests need may ask for more.
. "$(dirname "$0")/_common.sh"
want=1.85
if rustup run $want.0 rustc -V 2>/dev/null | grep -q "^rustc $want"; then
  run=(rustup run "$want.0" cargo)
else
  if ! /usr/bin/rustc -V 2>/dev/null | grep -q "^rustc $want"; then
    [ "$(id -u)" = 0 ] || die "no Rust $want, and not root: rustup toolchain install $want.0"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # The archive may hold a newer one too, so the version is named for all three.
    apt-get -qq -y --no-install-recommends --allow-downgrades install \
      "rustc-web=$want*" "cargo-web=$want*" "libstd-rust-web-dev=$want*" >/dev/null
  fi
  run=(env PATH="/usr/bin:$PATH" /usr/bin/cargo)
  export RUSTC=/usr/bin/rustc
fi
"${run[@]}" -V; "${run[@]}" -V | grep -q "^cargo $want" || die "not $want"
export CARGO_TARGET_DIR=$target/msrv
"${run[@]}" check --locked --lib "${each_library[@]}"
"${run[@]}" check --locked --lib -p mail-session --all-features
