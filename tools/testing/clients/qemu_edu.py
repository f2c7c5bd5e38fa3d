# SPDX-License-Identifier: GPL-2.0-only
"""Rules for edu devices that are given to a machine inside this one: they do DMA
from and to that machine's RAM, whatever becomes of the RAM and the machine.

Knows the machine inside. Knows nothing of VFIO's interfaces.
"""

import mmap
import time

from edu import DEVICE_ID, TRANSFER_MAX, VENDOR_ID, Edu, pattern
from qtest import Machine, PciFunction
from report import expect, expect_equal, wait_until

MIB = 1 << 20
RAM_SIZE = 64 * MIB
DIMM_SIZE = 64 * MIB
DIMM_FILE = '/dev/shm/dimm'
BAR_ADDRESS = 0xfd000000
BAR_SIZE = MIB
FIRST_SLOT = 5

# ICH9's memory hotplug registers: slot selector, and its control byte
DIMM_SELECT, DIMM_CONTROL = 0xa00, 0xa14
DIMM_EJECT = 0x8


class Inner:
    """The machine inside, with edu devices of the outer one."""

    def __init__(self, name, binary, passthrough, addresses):
        with open(DIMM_FILE, 'wb') as file:
            file.truncate(DIMM_SIZE)
        arguments = ['-m', f'{RAM_SIZE // MIB}M,slots=2,maxmem=1G',
                     '-object', f'memory-backend-file,id=dimm,size={DIMM_SIZE},'
                     f'share=on,mem-path={DIMM_FILE}', *passthrough.objects]
        for i, address in enumerate(addresses):
            arguments += passthrough.device(address, f'addr={FIRST_SLOT + i:x}.0')
        self.machine = Machine(name, binary, *arguments)
        self.edus = [Edu(PciFunction(self.machine, FIRST_SLOT + i, BAR_ADDRESS + i * BAR_SIZE))
                     for i in range(len(addresses))]

    def add_dimm(self):
        """Plugs the DIMM in; where it is."""
        self.machine.qmp('device_add', driver='pc-dimm', id='dimm0', memdev='dimm')
        (dimm,) = self.machine.qmp('query-memory-devices')
        return dimm['data']['addr']

    def remove_dimm(self):
        """Pulls the DIMM out, with the consent that firmware would give."""
        self.machine.qmp('device_del', id='dimm0')
        self.machine.port_out('l', DIMM_SELECT, 0)
        self.machine.port_out('b', DIMM_CONTROL, DIMM_EJECT)
        self.machine.wait_event('DEVICE_DELETED')


def check_transfer(machine, edu, address, seed):
    """The device reads memory, then writes what it read elsewhere."""
    data = pattern(seed)
    target = address + 2 * MIB + 0x321
    machine.write(address, data)
    machine.fill(target - 1, TRANSFER_MAX + 2, 0xee)
    edu.fetch(address, TRANSFER_MAX)
    edu.store(target, TRANSFER_MAX)
    expect_equal(machine.read(target - 1, TRANSFER_MAX + 2), b'\xee' + data + b'\xee',
                 f'memory at {target:#x}')


def check_interrupt(machine, edu):
    """The interrupt is a store into RAM, where the test can see it."""
    address, data = 0x5000, 0x4321
    machine.store('l', address, 0)
    edu.registers.set_msi(address, data)
    edu.raise_interrupt()
    wait_until(lambda: machine.load('l', address) == data, 120, 'the MSI arrives')
    edu.clear_interrupt()


def check_removed_dimm(edu, address):
    """A DIMM that was pulled out is a file still, and the test can see it."""
    with open(DIMM_FILE, 'r+b') as file, mmap.mmap(file.fileno(), DIMM_SIZE) as dimm:
        dimm[:] = b'\xdd' * DIMM_SIZE
        edu.store(address, TRANSFER_MAX)
        edu.store(address + DIMM_SIZE // 2, TRANSFER_MAX)
        expect(dimm[:] == b'\xdd' * DIMM_SIZE, 'the device reached it')


def check_machine(report, inner):
    """All rules for a machine that has one device or more."""
    machine, edus = inner.machine, inner.edus
    for i, edu in enumerate(edus):
        with report.rule(f'device {i} is there'):
            expect_equal(edu.registers.identity(), (VENDOR_ID, DEVICE_ID), 'identity')
            edu.registers.enable()
        with report.rule(f'device {i} reads and writes RAM'):
            check_transfer(machine, edu, MIB, i)
            check_transfer(machine, edu, RAM_SIZE - 4 * MIB, i + 10)
        with report.rule(f'an MSI of device {i} arrives'):
            check_interrupt(machine, edu)

    dimm = None
    with report.rule('RAM that is plugged in is within reach of every device'):
        dimm = inner.add_dimm()
        for i, edu in enumerate(edus):
            check_transfer(machine, edu, dimm, i + 20)
            check_transfer(machine, edu, dimm + DIMM_SIZE - 4 * MIB, i + 30)
    with report.rule('the machine is reset in the middle of a transfer'):
        edus[0].start_store(4 * MIB, TRANSFER_MAX)
        machine.reset()
        time.sleep(0.5)
    for i, edu in enumerate(edus):
        with report.rule(f'device {i} reads and writes all RAM after the reset'):
            edu.registers.enable()
            check_transfer(machine, edu, MIB, i + 40)
            check_transfer(machine, edu, dimm, i + 50)
    with report.rule('RAM that is pulled out is out of reach'):
        inner.remove_dimm()
        for edu in edus:
            check_removed_dimm(edu, dimm)
    with report.rule('RAM that is plugged in again is within reach again'):
        dimm = inner.add_dimm()
        check_transfer(machine, edus[0], dimm, 60)
    with report.rule('the machine ends as it should'):
        expect_equal(machine.quit(), 0, 'exit status')


def check_edu(report, binary, passthrough, addresses):
    """One machine, from its start to its end."""
    name = f'{passthrough.kind}-{len(addresses)}'
    with report.section(f'{passthrough.kind}, {len(addresses)} edu'):
        inner = Inner(name, binary, passthrough, addresses)
        with inner.machine:
            check_machine(report, inner)
