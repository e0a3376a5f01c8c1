#!/usr/bin/env bash
# The five libraries as they would be published, each built from its own archive. A tree with changes is only taken outside CI.
. "$(dirname "$0")/_common.sh"
dirty=(--allow-dirty); [ -n "${CI:-}" ] && dirty=()
# Cargo keeps what it unpacks by the folder of the archives and the version: in a folder that was used before, the next library would be
# built on archives of then.
target=$(mktemp -d); trap 'rm -rf "$target"' EXIT
cargo package --locked --target-dir "$target" "${dirty[@]}" "${each_library[@]}"
for p in "${libraries[@]}"; do
  archive=$(ls -t "$target/package/$p"-[0-9]*.crate | head -n 1)
  listing=$(tar tzf "$archive")
  for file in README.md LICENSE-MIT LICENSE-APACHE; do
    grep -q "/$file\$" <<<"$listing" || die "$p: no $file in the archive"
  done
done
