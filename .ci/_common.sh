# shellcheck shell=bash
# What the steps share. Sourced by each of them; not run by itself.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}

# The published packages, in the order in which they depend on each other, and the folders they stand in.
libraries=(mail-wire mail-smtp-proto mail-imap-proto mail-pop3-proto mail-session)
# shellcheck disable=SC2034 # used by the steps
wire_crates=(mail-wire mail-smtp-proto mail-imap-proto mail-pop3-proto)
each_library=()
for p in "${libraries[@]}"; do each_library+=(-p "$p"); done

target=${CARGO_TARGET_DIR:-$root/target}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Packages of the system, as root, where a command is missing: need COMMAND PACKAGE
need() {
  command -v "$1" >/dev/null && return 0
  [ "$(id -u)" = 0 ] || die "no $1, and not root: install the package $2"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update && apt-get -qq -y --no-install-recommends install "$2" >/dev/null
}

# The crates outside the workspace take the versions of the workspace's lock file: outside DIR
outside() {
  cp -f "$root/Cargo.lock" "$1/Cargo.lock"
}
