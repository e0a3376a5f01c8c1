"""Reads `cargo metadata`: every crate comes from crates.io or from this tree, and everything that the libraries and the examples
need (on any platform, with any feature) stands under a licence of the list. Peers of the benches are not shipped, so for them
only the source counts."""

import json
import re
import sys

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
# deny.toml holds the same list for cargo-deny.
ALLOWED = {
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0",
    "Unlicense", "Zlib", "0BSD", "CDLA-Permissive-2.0",
}
NOT_SHIPPED = {"mail-benches"}


def allowed(expression):
    """An SPDX expression: every part of an AND, one part of an OR. `A/B` is the old way to write OR."""
    text = re.sub(r"\s*/\s*", " OR ", expression)
    tokens = re.findall(r"\(|\)|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", text)

    def any_of():
        value = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = all_of() or value
        return value

    def all_of():
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        token = tokens.pop(0)
        if token != "(":
            return re.sub(r"\s+", " ", token) in ALLOWED
        value = any_of()
        tokens.pop(0)
        return value

    return any_of()


def main():
    data = json.load(sys.stdin)
    packages = {p["id"]: p for p in data["packages"]}
    own = set(data["workspace_members"])
    faults = [
        f"{p['name']} {p['version']} comes from {p['source']}"
        for i, p in packages.items()
        if i not in own and p["source"] != REGISTRY
    ]
    nodes = {n["id"]: n["dependencies"] for n in data["resolve"]["nodes"]}
    todo = [i for i in own if packages[i]["name"] not in NOT_SHIPPED]
    seen = set()
    while todo:
        i = todo.pop()
        if i not in seen:
            seen.add(i)
            todo.extend(nodes[i])
    for i in sorted(seen):
        licence = packages[i]["license"]
        if not licence or not allowed(licence):
            faults.append(f"{packages[i]['name']} {packages[i]['version']}: licence {licence}")
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(packages)} crates by their source, {len(seen)} by their licence: {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
