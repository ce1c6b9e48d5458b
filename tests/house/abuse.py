"""The abuse cases: what anybody may try, numbered 1 to 132, and the test of each.

A case has a test whose name begins `test_abuse_NNN_`; what is not for this part of the project yet
stands in LATER with its reason. `python -m tests.house.abuse` prints the table.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, modules

CASES = 132
SUBJECTS = {  # first number: what the cases from there on are about
    1: "malformed encodings",
    16: "signatures, identity, authority",
    31: "equivocation, replay, order, clocks",
    46: "size, rate, hostile partners",
    59: "courier files, images",
    71: "pages, sessions, access",
    98: "where our requests go",
    104: "two at once, and time credit",
    115: "machine, storage, time",
    126: "long life of a federation",
}
_PAGES = "pages: the web's own cases"
_PHOTOS = "photos: gate of images"
_CREDIT = "time credit, pledges: not built"
LATER = {
    55: "search, prose: fuzzed later",
    56: "forms: the web's own cases",
    **dict.fromkeys((63, 64, 65, 66, 67, 69), _PHOTOS),
    **dict.fromkeys(range(71, 96), _PAGES),
    104: "bookings: raced in engagements",
    **dict.fromkeys((106, 107, 114), _CREDIT),
    110: "form tokens: the web's own cases",
    111: "jobs: two processes, tested there",
    112: "database: contention, tested there",
    113: "database: long reads later",
    121: "memory: soak test later",
    122: "clocks: same as 40, 41",
    123: "calendar: tested with rides",
    124: "calendar: zones change later",
    125: "calendar: tested with rides",
}
_TEST = re.compile(r"^test_abuse_(\d{3})_")


def tested(root: Path) -> dict[int, list[str]]:
    """Return {number: the tests that bear it}, each as folder/file::name."""
    found: dict[int, list[str]] = {}
    for module in modules(root, "tests"):
        for function in module.functions:
            if match := _TEST.match(function.name):
                place = module.path.relative_to(root)
                found.setdefault(int(match[1]), []).append(f"{place}::{function.name}")
    return found


def abuse_cases_are_tested_or_excused(root: Path) -> Iterator[str]:
    """Name each case that has neither a test nor a reason, and each reason that has become idle."""
    found = tested(root)
    if not found:
        return
    for number in range(1, CASES + 1):
        if number not in found and number not in LATER:
            yield f"abuse case {number} has no test named test_abuse_{number:03}_..."
        if number in found and number in LATER:
            yield f"abuse case {number} is tested: take its reason out of tests/house/abuse.py"
    for number in found.keys() - set(range(1, CASES + 1)):
        yield f"there is no abuse case {number}: {', '.join(found[number])}"


def table(root: Path) -> Iterator[str]:
    """Yield the table, a line for each case: its tests, or why it has none yet."""
    found = tested(root)
    for number in range(1, CASES + 1):
        if number in SUBJECTS:
            yield f"\n{SUBJECTS[number]}"
        tests = found.get(number, [f"later: {LATER.get(number, '?')}"])
        yield f"{number:4} {tests[0]}" + (f" and {len(tests) - 1} more" if tests[1:] else "")


if __name__ == "__main__":
    print("\n".join(table(ROOT)))
