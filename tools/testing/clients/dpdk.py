#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""DPDK as a user of VFIO: testpmd drives two e1000e NICs, on the wire to each
other, and what one sends the other one has to receive.

usage: dpdk.py CONTAINER...

Leaves the number of frames that the NICs have counted in frames, for whoever
listened on the wire.
"""

import sys
import time

import pci
from report import Report, expect, expect_equal, output_path, wait_until
from testpmd import Testpmd

NIC = (0x8086, 0x10d3)

MEMORY = {
    'hugepages': ('--in-memory',),
    'no-huge': ('--no-huge', '-m', '256'),
}


def forward(testpmd):
    """Lets the ports send and receive for a moment; the counters after it."""
    testpmd.order('clear port stats all')
    testpmd.order('start')
    time.sleep(1)
    testpmd.order('stop')
    time.sleep(0.5)
    return testpmd.statistics()


def check_counters(counters):
    """What the one sent the other one received; the number of frames."""
    for here, there in (0, 1), (1, 0):
        expect(counters[here]['TX-packets'] > 0, f'port {here} sent nothing')
        expect_equal(counters[there]['RX-packets'], counters[here]['TX-packets'],
                     f'what port {there} received of port {here}')
        for error in 'RX-errors', 'RX-missed', 'RX-nombuf', 'TX-errors':
            expect_equal(counters[here][error], 0, f'{error} of port {here}')
    return sum(port['TX-packets'] for port in counters.values())


def check_forwarding(report, testpmd, text):
    """Returns the number of frames that were on the wire."""
    counters = forward(testpmd)
    with report.rule(text):
        return check_counters(counters)
    return 0


def check_unplug(report, testpmd, address):
    """A NIC leaves the bus while testpmd drives it, and comes back."""
    port = testpmd.ports()[address]
    with report.rule('a NIC that is pulled out leaves testpmd'):
        pci.remove(address)
        wait_until(lambda: address not in testpmd.ports(), 120, 'the port is gone')
    with report.rule('the NIC is a port again when it is plugged in again'):
        pci.rescan(address)
        pci.give_to_vfio(address)
        testpmd.order(f'port attach {address}')
        expect_equal(testpmd.ports()[address], port, 'port')
        testpmd.order(f'port start {port}')


def run(report, name, nics, eal):
    """One testpmd, from its start to its end; the number of frames."""
    frames = 0
    with report.section(name), Testpmd(name.replace(', ', '-'), *eal) as testpmd:
        with report.rule('testpmd drives both NICs'):
            expect_equal(testpmd.ports(), {nics[0]: 0, nics[1]: 1}, 'ports')
            testpmd.order('set fwd flowgen')
        frames += check_forwarding(report, testpmd, 'each NIC receives what the other sent')
        check_unplug(report, testpmd, nics[1])
        frames += check_forwarding(report, testpmd, 'so it is after the unplug')
        with report.rule('testpmd ends as it should'):
            expect_equal(testpmd.quit(), 0, 'exit status')
    return frames


def main():
    """See above."""
    report = Report()
    frames = 0
    pci.show_vfio_as_modules()
    nics = pci.find(*NIC)
    for nic in nics:
        pci.give_to_vfio(nic)
    for kind in sys.argv[1:]:
        pci.use_container(kind)
        for memory, eal in MEMORY.items():
            frames += run(report, f'{kind}, {memory}', nics, eal)
    with open(output_path('frames'), 'w', encoding='ascii') as file:
        file.write(f'{frames}\n')
    report.end()


if __name__ == '__main__':
    main()
