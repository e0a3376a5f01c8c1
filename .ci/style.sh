#!/usr/bin/env bash
# Formatting, and the rules of house style that a machine can hold.
. "$(dirname "$0")/_common.sh"
cargo fmt --all --check
for crate in fuzz .ci/nostd .ci/consumer; do
  find "$crate" -name target -prune -o -name '*.rs' -print0 | xargs -0 -r rustfmt --edition 2024 --check
done
bad=0
while read -r lines file; do
  if [ "$file" != total ] && [ "$lines" -gt 600 ]; then say "$file: $lines lines, 600 at the most"; bad=1; fi
done < <(git ls-files -z '*.rs' | xargs -0 wc -l)
# A test is switched off only for its size, and then it is named so that the step `large` finds it.
if git grep -nE '#\[ignore' -- '*.rs' | grep -vF '#[ignore = "large"]'; then say 'ignored for another reason than "large"'; bad=1; fi
if git grep -nE '(todo|unimplemented)!\(|\b(TODO|FIXME)\b' -- '*.rs'; then say 'unfinished'; bad=1; fi
python3 .ci/duplicates.py || bad=1
exit "$bad"
