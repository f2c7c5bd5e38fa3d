#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What was on the wire between two NICs.

usage: pcap.py FILE FRAMES

FILE is a recording, FRAMES a file with the number of frames that the NICs have
counted. As many must be in the recording, each with an IP header whose checksum
is right.
"""

import struct
import sys

from report import Report, expect, expect_equal

FILE_HEADER, FRAME_HEADER = 24, 16
ETHERNET, IP = 14, 20


def frames(path):
    """The frames of a recording."""
    with open(path, 'rb') as file:
        data = file.read()
    expect_equal(struct.unpack_from('<I', data)[0], 0xa1b2c3d4, 'magic number')
    offset = FILE_HEADER
    while offset < len(data):
        size = struct.unpack_from('<I', data, offset + 8)[0]
        offset += FRAME_HEADER
        yield data[offset:offset + size]
        offset += size


def whole(frame):
    """Whether a frame is IPv4 and its header came through."""
    if frame[12:14] != b'\x08\x00' or len(frame) < ETHERNET + IP:
        return False
    total = sum(struct.unpack_from('>10H', frame, ETHERNET))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff


def main():
    """See above."""
    path, counted = sys.argv[1], sys.argv[2]
    report = Report()
    with open(counted, encoding='ascii') as file:
        number = int(file.read())
    with report.section('wire'):
        with report.rule('as many frames as the NICs have counted'):
            expect_equal(sum(1 for _ in frames(path)), number, 'number of frames')
            expect(number, 'none at all')
        with report.rule('each of them is whole'):
            expect(all(map(whole, frames(path))), 'a frame has a wrong header')
    report.end()


if __name__ == '__main__':
    main()
