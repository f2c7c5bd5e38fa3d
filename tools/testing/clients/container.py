#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A program of the old kind: one container, two IOMMU groups, one of them with
a device of two functions.

usage: container.py CONTAINER...
"""

import errno
import os
import signal
import sys

import pci
from edu import DEVICE_ID, TRANSFER_MAX, VENDOR_ID, Edu, pattern
from report import Failure, Report, expect, expect_equal
from vfio import TYPE1, TYPE1V2, Container, Group, Memory

MIB = 1 << 20
SIZE = 4 * MIB
IOVA = 1 << 32
MORE_IOVA = 1 << 33
MSI_WINDOW = (0xfee00000, 0xfeefffff)


class Member:
    """A group, and its devices while they are open."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.group = Group(pci.group(addresses[0]))
        self.edus = []

    def open_devices(self):
        """Opens all devices of the group."""
        self.edus = [Edu(self.group.device(address)) for address in self.addresses]

    def close_devices(self):
        """Closes those that are open."""
        for edu in self.edus:
            edu.registers.close()
        self.edus = []

    def close(self):
        """Closes devices and group."""
        self.close_devices()
        self.group.close()


class Program:
    """A container with two groups in it."""

    def __init__(self, single, multifunction):
        self.container = Container()
        self.single = Member(single)
        self.multifunction = Member(multifunction)
        self.memory = Memory(SIZE)
        self.ranges = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for thing in self.single, self.multifunction, self.container:
            thing.close()

    def members(self):
        """Both groups."""
        return self.single, self.multifunction

    def edus(self):
        """All open devices."""
        return self.single.edus + self.multifunction.edus

    def start(self, kind):
        """As the documentation of VFIO tells it."""
        for member in self.members():
            member.group.join(self.container)
        self.container.set_iommu(kind)
        self.ranges = self.container.iova_ranges()
        self.container.map(self.memory, IOVA)
        for member in self.members():
            member.open_devices()


def check_transfer(edu, memory, iova, seed):
    """The device reads memory at its start, and writes near its end."""
    data = pattern(seed)
    target = memory.size - TRANSFER_MAX - 5
    memory.bytes[:TRANSFER_MAX] = data
    memory.bytes[target:target + TRANSFER_MAX] = bytes(TRANSFER_MAX)
    edu.fetch(iova, TRANSFER_MAX)
    edu.store(iova + target, TRANSFER_MAX)
    expect(memory.bytes[target:target + TRANSFER_MAX] == data, 'other bytes arrived')


def check_out_of_reach(edu, memory, iova):
    """The device's writes do not get to the memory."""
    memory.bytes[:TRANSFER_MAX] = b'\x77' * TRANSFER_MAX
    edu.store(iova, TRANSFER_MAX)
    expect(memory.bytes[:TRANSFER_MAX] == b'\x77' * TRANSFER_MAX, 'the device reached it')


def expect_refused(number, call, *arguments):
    """Fails unless the call fails with an errno."""
    try:
        call(*arguments)
    except OSError as error:
        expect_equal(error.errno, number, 'errno')
        return
    raise Failure(f'{call.__name__} succeeded')


def check_memory(report, program):
    """What is mapped is within reach of all, and nothing else."""
    container, memory = program.container, program.memory
    with report.rule('the devices of both groups read and write what is mapped'):
        for i, edu in enumerate(program.edus()):
            check_transfer(edu, memory, IOVA, i)
    with report.rule('what one group wrote the other one reads'):
        one, other = program.single.edus[0], program.multifunction.edus[1]
        memory.bytes[:TRANSFER_MAX] = pattern(20)
        one.fetch(IOVA, TRANSFER_MAX)
        one.store(IOVA + MIB, TRANSFER_MAX)
        other.fetch(IOVA + MIB, TRANSFER_MAX)
        other.store(IOVA + 2 * MIB, TRANSFER_MAX)
        expect(memory.bytes[2 * MIB:2 * MIB + TRANSFER_MAX] == pattern(20), 'other bytes')
    with report.rule('an IOVA is mapped once'):
        expect_refused(errno.EEXIST, container.map, memory, IOVA)
    with report.rule('what is unmapped is out of reach, and within reach when mapped again'):
        expect_equal(container.unmap(IOVA, SIZE), SIZE, 'bytes unmapped')
        for edu in program.edus():
            check_out_of_reach(edu, memory, IOVA)
        container.map(memory, IOVA)
        for i, edu in enumerate(program.edus()):
            check_transfer(edu, memory, IOVA, i + 30)


def check_functions(report, program):
    """The functions of one device."""
    member, memory = program.multifunction, program.memory
    with report.rule('a bus reset of a device with two functions leaves the mappings'):
        member.edus[0].registers.hot_reset([member.group])
        for i, edu in enumerate(member.edus):
            edu.registers.enable()
            check_transfer(edu, memory, IOVA, i + 40)
    with report.rule('one function works on when the other is closed'):
        member.edus.pop(0).registers.close()
        check_transfer(member.edus[0], memory, IOVA, 50)
    with report.rule('a group cannot leave while a device of it is open'):
        expect_refused(errno.EBUSY, member.group.leave)
        check_transfer(member.edus[0], memory, IOVA, 51)


def check_leaving(report, program):
    """Groups come and go."""
    container, memory = program.container, program.memory
    more = Memory(SIZE)
    with report.rule('the other group works on when one has left'):
        program.multifunction.close_devices()
        program.multifunction.group.leave()
        container.map(more, MORE_IOVA)
        check_transfer(program.single.edus[0], memory, IOVA, 60)
        check_transfer(program.single.edus[0], more, MORE_IOVA, 61)
    with report.rule('a group that comes back finds what was mapped meanwhile'):
        program.multifunction.group.join(container)
        program.multifunction.open_devices()
        for i, edu in enumerate(program.edus()):
            check_transfer(edu, memory, IOVA, i + 70)
            check_transfer(edu, more, MORE_IOVA, i + 75)


def check_last_leaving(report, program, kind):
    """When the last group leaves, the container is as new."""
    with report.rule('nothing is mapped any more when the last group has left'):
        for member in program.members():
            member.close_devices()
            member.group.leave()
        program.start(kind)
        expect_equal(program.container.unmap(MORE_IOVA, SIZE), 0, 'bytes unmapped')
        for i, edu in enumerate(program.edus()):
            check_transfer(edu, program.memory, IOVA, i + 77)


def in_killed_process(function):
    """Runs a function in a process that is then killed."""
    child = os.fork()
    if not child:
        end = signal.SIGTERM
        try:
            function()
            end = signal.SIGKILL
        finally:
            os.kill(os.getpid(), end)
    expect_equal(os.waitpid(child, 0)[1], signal.SIGKILL, 'end of the process')


def run(report, name, kind, single, multifunction):
    """All rules for one type of container."""

    def start_transfer():
        program = Program(single, multifunction)
        program.start(kind)
        program.single.edus[0].start_store(IOVA, TRANSFER_MAX)

    with report.section(name), Program(single, multifunction) as program:
        container = program.container
        with report.rule('both groups are viable and the container is of the version known'):
            expect(all(member.group.viable() for member in program.members()), 'not viable')
            expect_equal(container.api_version(), 0, 'version')
            expect(container.has(kind), 'type unknown')
        with report.rule('two groups join and their devices open'):
            program.start(kind)
        with report.rule('the MSI window is none of the IOVAs, even before a device opens'):
            expect(program.ranges, 'no IOVA at all')
            for first, last in program.ranges:
                expect(last < MSI_WINDOW[0] or first > MSI_WINDOW[1], f'{first:#x}-{last:#x}')
        check_memory(report, program)
        check_functions(report, program)
        check_leaving(report, program)
        check_last_leaving(report, program, kind)
    with report.section(name):
        with report.rule('a process that is killed in a transfer leaves all devices to the next'):
            in_killed_process(start_transfer)
            with Program(single, multifunction) as program:
                program.start(kind)
                for i, edu in enumerate(program.edus()):
                    edu.wait()
                    check_transfer(edu, program.memory, IOVA, i + 80)


def main():
    """See above."""
    report = Report()
    addresses = pci.find(VENDOR_ID, DEVICE_ID)
    for address in addresses:
        pci.give_to_vfio(address)
    single = pci.own_groups(addresses)[:1]
    multifunction = [address for address in addresses
                     if address not in pci.own_groups(addresses)]
    for kind in sys.argv[1:]:
        pci.use_container(kind)
        run(report, f'{kind}, version 1', TYPE1, single, multifunction)
        run(report, f'{kind}, version 2', TYPE1V2, single, multifunction)
    report.end()


if __name__ == '__main__':
    main()
