"""No six lines stand twice between the crates of the libraries.

Counted are the lines of `src/`, `tests/` and `benches/` of the five libraries without their indentation. Left out, as the house rule
says, are blank lines, comments, imports (`use`, also over several lines) and attributes. What is left counts, also a line that
is only closing punctuation: the rule has no exception for it. But a run needs three lines that say something, lest the tail
of one nesting be called a copy of another's. Within one crate the rule does not ask.

Prints each longest run with both places. Exit status 1 if there is one.
"""

import pathlib
import re
import sys
from collections import defaultdict

CRATES = ("mail-wire", "smtp-proto", "imap-proto", "pop3-proto", "mail-session")
RUN = 6
SAYS = 3
ROOT = pathlib.Path(__file__).resolve().parent.parent
USE = re.compile(r"(pub(\([a-z ]+\))? )?use ")
CLOSERS = re.compile(r"[\s{}()\[\];,?.]*")


def lines(path):
    """The lines that count: (number, text)."""
    kept, depth, use = [], 0, False
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = raw.strip()
        if use:
            use = not text.endswith(";")
            continue
        if depth:
            depth += text.count("[") - text.count("]")
            continue
        if not text or text.startswith("//"):
            continue
        if re.match(r"#!?\[", text):
            depth = text.count("[") - text.count("]")
            continue
        if USE.match(text):
            use = not text.endswith(";")
            continue
        kept.append((number, text))
    return kept


def main():
    files = []
    for crate in CRATES:
        for folder in ("src", "tests", "benches"):
            files += [(crate, path, lines(path)) for path in sorted((ROOT / crate / folder).rglob("*.rs"))]
    starts = defaultdict(list)
    for index, (_, _, kept) in enumerate(files):
        for at in range(len(kept) - RUN + 1):
            starts[tuple(text for _, text in kept[at : at + RUN])].append((index, at))

    found = []
    for places in starts.values():
        for a, (one, i) in enumerate(places):
            for other, j in places[a + 1 :]:
                if files[one][0] == files[other][0]:
                    continue
                left, right = files[one][2], files[other][2]
                if i and j and left[i - 1][1] == right[j - 1][1]:
                    continue  # the run begins earlier
                n = RUN
                while i + n < len(left) and j + n < len(right) and left[i + n][1] == right[j + n][1]:
                    n += 1
                texts = [text for _, text in left[i : i + n]]
                if sum(not CLOSERS.fullmatch(text) for text in texts) >= SAYS:
                    found.append((n, (one, i), (other, j), texts))

    for n, *places, texts in sorted(found, key=lambda run: -run[0]):
        where = [f"{files[index][1].relative_to(ROOT)}:{files[index][2][at][0]}" for index, at in places]
        print(f"{n} lines: {where[0]} and {where[1]}")
        if "--show" in sys.argv:
            print(*(f"    {text}" for text in texts), sep="\n")
    print(f"{len(found)} runs of {RUN} lines or more stand twice between the crates")
    sys.exit(1 if found else 0)


main()
