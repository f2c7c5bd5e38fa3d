# SPDX-License-Identifier: GPL-2.0-only
"""Rules for an NVMe drive that is given to a machine inside this one: that
machine's firmware boots from it. The boot sector sends those behind it to the
debug console.

Knows the machine inside. Knows nothing of VFIO's interfaces.
"""

import os
import subprocess

from qtest import BARE
from report import expect, expect_equal, output_path, wait_until

SECTOR_SIZE = 512
READ_SIZE = 4 * 64 * SECTOR_SIZE
LIMIT = 240

# In memory: QEMU writes each byte by itself.
CONSOLE = '/dev/shm/console'


def boot(name, binary, arguments, size):
    """What a machine sends to its console, once it is that much."""
    command = [*binary, *BARE, '-m', '64M', '-chardev', f'file,id=console,path={CONSOLE}',
               '-device', 'isa-debugcon,iobase=0xe9,chardev=console', *arguments]
    with open(CONSOLE, 'wb'):
        pass
    with open(output_path(f'{name}.log'), 'w', encoding='utf-8') as log, \
         subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: os.path.getsize(CONSOLE) >= size or process.poll() is not None,
                       LIMIT, 'the drive is read')
            with open(CONSOLE, 'rb') as file:
                return file.read()
        finally:
            process.kill()


def check_boot(report, binary, passthrough, address, image):
    """Image is a file with what the drive holds."""
    with open(image, 'rb') as file:
        file.seek(SECTOR_SIZE)
        sectors = file.read(READ_SIZE)
    arguments = passthrough.objects + passthrough.device(address, 'bootindex=0')
    with report.section(f'{passthrough.kind}, NVMe'), \
         report.rule('firmware boots from the drive and reads what is behind the boot sector'):
        data = boot(f'{passthrough.kind}-boot', binary, arguments, len(sectors))
        expect_equal(len(data), len(sectors), 'number of bytes read')
        expect(data == sectors, 'other bytes than the drive has')
