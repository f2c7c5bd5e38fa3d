# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's edu device: a buffer of its own and a DMA engine that copies between
the buffer and memory.

Knows the registers. Knows nothing of who reaches them, and how.
"""

import time

from report import Failure

VENDOR_ID, DEVICE_ID = 0x1234, 0x11e8

# QEMU 7.2 aborts on a transfer that fills the device's buffer.
TRANSFER_MAX = 4095

LIMIT = 120


def pattern(seed):
    """As many bytes as a transfer can have, other ones for another seed."""
    return bytes((seed * 29 + i * 7 + (i >> 8)) & 0xff for i in range(TRANSFER_MAX))


class Edu:
    """An edu device. Its registers are an object that can load(width, offset)
    and store(width, offset, value)."""

    RAISE, CLEAR = 0x60, 0x64
    SOURCE, DESTINATION, COUNT, COMMAND = 0x80, 0x88, 0x90, 0x98
    RUN, TO_MEMORY = 1, 2
    BUFFER = 0x40000

    def __init__(self, registers):
        self.registers = registers

    def start(self, source, destination, size, command):
        """Starts a transfer."""
        self.registers.store('q', self.SOURCE, source)
        self.registers.store('q', self.DESTINATION, destination)
        self.registers.store('q', self.COUNT, size)
        self.registers.store('l', self.COMMAND, command | self.RUN)

    def wait(self):
        """Waits for the end of the transfer."""
        end = time.monotonic() + LIMIT
        while self.registers.load('l', self.COMMAND) & self.RUN:
            if time.monotonic() > end:
                raise Failure('a transfer has no end')
            time.sleep(0.01)

    def start_store(self, address, size):
        """Starts a copy of the device's buffer to memory."""
        self.start(self.BUFFER, address, size, self.TO_MEMORY)

    def fetch(self, address, size):
        """Copies memory to the device's buffer."""
        self.start(address, self.BUFFER, size, 0)
        self.wait()

    def store(self, address, size):
        """Copies the device's buffer to memory."""
        self.start_store(address, size)
        self.wait()

    def raise_interrupt(self):
        """Raises the interrupt."""
        self.registers.store('l', self.RAISE, 1)

    def clear_interrupt(self):
        """Takes it back."""
        self.registers.store('l', self.CLEAR, 1)
