#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Checks the table of contents in iommufd_private.h: every source is in it once, and
calls (or refers to) only what is on its own floor or below. Prints each breach.

usage: floors.py HEADER OBJECT-DIRECTORY SOURCE...
  SOURCE  as the table names it; its object is in OBJECT-DIRECTORY

A floor begins with a line that says what it is; lines of names alone continue it.
"""

import re
import subprocess
import sys
from pathlib import Path

LINE = re.compile(r" \*   ((?:[\w/]+\.c ? ?)+)(\s+\S.*)?$")


def read_floors(header):
    """The floor of each source, the roof being 1"""
    floors, floor = {}, 0
    contents = header.split("table of contents", 1)[1].split("Lock order", 1)[0]
    for match in filter(None, map(LINE.match, contents.splitlines())):
        floor += bool(match[2])
        for source in match[1].split():
            if source in floors:
                print(f"{source}: is in the table of contents twice")
            floors[source] = floor
    return floors


def read_symbols(path):
    """Names that an object defines for others, and names that it wants of others"""
    defined, wanted = set(), set()
    listing = subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        kind, name = line.split()[-2:]
        (wanted if kind == "U" else defined).add(name)
    return defined, wanted


def main(header, directory, *sources):
    """Compares the table with the objects"""
    floors = read_floors(Path(header).read_text(encoding="utf-8"))
    for source in sorted(set(sources) ^ set(floors)):
        where = "no source" if source in floors else "not in the table of contents"
        print(f"{source}: is {where}")
    owner, wants = {}, {}
    for source in sorted(set(sources) & set(floors)):
        defined, wants[source] = read_symbols(Path(directory, source).with_suffix(".o"))
        owner.update(dict.fromkeys(defined, source))
    for source, names in wants.items():
        for name in sorted(names & owner.keys()):
            if floors[owner[name]] < floors[source]:
                print(f"{source}: calls {name}() above it, in {owner[name]}")


main(*sys.argv[1:])
