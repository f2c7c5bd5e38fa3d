#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Where the instructions of a map and an unmap go, function by function.

usage: profile.py record SOCKET LOG
       profile.py report LOG KALLSYMS PAGES

record has QEMU, whose monitor is at SOCKET, write every instruction of its guest to
LOG for a while, and stop. report counts them. The guest maps and unmaps in turn,
PAGES pages a call; whole calls count, from one entry of the kernel to the next.
"""
import bisect
import collections
import os
import re
import socket
import sys
import time

ENTRY = "entry_SYSCALL_64"
# Only a map calls it, whoever maps.
MAP_MARK = "pin_user_pages"
KERNEL = 1 << 63
ENOUGH_BYTES = 150 << 20
ENOUGH_SECONDS = 60
LEAST_SHOWN = 0.003


def record(path, log):
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(path)
        monitor.send(b"singlestep on\nlog exec,nochain\n")
        end = time.monotonic() + ENOUGH_SECONDS
        while time.monotonic() < end and os.path.getsize(log) < ENOUGH_BYTES:
            time.sleep(0.1)
        monitor.send(b"log none\nquit\n")
        while monitor.recv(4096):
            pass


class Symbols:
    def __init__(self, path):
        self.table = []
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                address, kind, name = line.split()[:3]
                if kind in "tTwW":
                    self.table.append((int(address, 16), name))
        self.table.sort()
        self.addresses = [address for address, _ in self.table]

    def find(self, address):
        """The function at an address, and whether that is where it begins."""
        start, name = self.table[bisect.bisect(self.addresses, address) - 1]
        return name, start == address


class Call:
    """One system call: instructions and calls by function."""

    def __init__(self):
        self.instructions = collections.Counter()
        self.entries = collections.Counter()

    def add(self, name, begins):
        self.instructions[name] += 1
        self.entries[name] += begins

    def is_map(self):
        return any(name.startswith(MAP_MARK) for name in self.instructions)


def read_calls(log, symbols):
    """All calls but the first and the last, which are not whole."""
    calls = [Call()]
    where = re.compile(r"/([0-9a-f]{16})/")
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = where.search(line)
            if not found:
                continue
            address = int(found.group(1), 16)
            name, begins = symbols.find(address) if address & KERNEL else ("user space", False)
            if name == ENTRY and begins:
                calls.append(Call())
            calls[-1].add(name, begins)
    return calls[1:-1]


def print_calls(title, calls, pages):
    total = Call()
    for call in calls:
        total.instructions.update(call.instructions)
        total.entries.update(call.entries)
    every = sum(total.instructions.values())
    per = len(calls) * pages
    print(f"{title}: {every / per:.2f} instructions a page, {len(calls)} calls\n"
          f"{'a page':>10} {'calls':>8}")
    for name, count in total.instructions.most_common():
        if count < every * LEAST_SHOWN:
            break
        print(f"{count / per:10.2f} {total.entries[name] / per:8.2f}  {name}")
    print()


def report(log, kallsyms, pages):
    calls = read_calls(log, Symbols(kallsyms))
    for title, chosen in (("map", [call for call in calls if call.is_map()]),
                          ("unmap", [call for call in calls if not call.is_map()])):
        if chosen:
            print_calls(title, chosen, pages)


def main():
    command, arguments = sys.argv[1:2], sys.argv[2:]
    if command == ["record"] and len(arguments) == 2:
        record(arguments[0], arguments[1])
    elif command == ["report"] and len(arguments) == 3:
        report(arguments[0], arguments[1], int(arguments[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
