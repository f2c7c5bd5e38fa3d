#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Has a figure of ours become worse?

usage: compare.py FIGURES EXPECTED
       compare.py --accept FIGURES EXPECTED

FIGURES is what the benchmark has left; EXPECTED has lines "name, number", separated
by tabs. A figure that is more than 5 % above its number has failed, as has one that
was not measured. --accept writes EXPECTED anew. Remarks begin with "#".
"""
import sys

WORSE = 1.05
# Of a fraction of an instruction nobody cares for 5 %: one more run of huge pages
# makes that.
NOTHING = 0.02
UNITS = ("page", "call", "area")
# What else a process does at its end differs more from boot to boot.
LEFT_OUT = "exit with "
HEADER = """\
# Guest instructions of scripts/bench --check, which fails when one of them has
# become more than 5 % worse. Written by scripts/bench --accept.
"""


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]


def read_ours(path):
    return {name: float(ours) for name, unit, ours, *_ in read_lines(path)
            if unit in UNITS and ours != "-" and LEFT_OUT not in name}


def accept(figures, path):
    with open(path, "w", encoding="utf-8") as expected:
        expected.write(HEADER)
        for name, value in figures.items():
            expected.write(f"{name}\t{value:g}\n")


def complaint(name, value, expected):
    if value is None:
        return f"{name}: not measured, {expected:g} expected"
    if value > max(expected * WORSE, expected + NOTHING):
        return f"{name}: {value:g}, {100 * (value / expected - 1):.1f} % more than {expected:g}"
    return None


def compare(figures, path):
    expected = {name: float(value) for name, value in read_lines(path)}
    complaints = [complaint(name, figures.get(name), value)
                  for name, value in expected.items()]
    for text in filter(None, complaints):
        print(f"not ok {text}")
    failed = len(complaints) - complaints.count(None)
    print(f"{len(complaints) - failed} passed, {failed} failed, 0 skipped")
    return failed


def main():
    arguments = sys.argv[1:]
    accepting = arguments[:1] == ["--accept"]
    if len(arguments) != 2 + accepting:
        sys.exit(__doc__)
    figures = read_ours(arguments[accepting])
    if accepting:
        accept(figures, arguments[2])
    elif compare(figures, arguments[1]):
        sys.exit(1)


if __name__ == "__main__":
    main()
