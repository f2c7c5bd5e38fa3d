#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""QEMU as a user of VFIO: devices of this machine are given to a machine inside
it.

usage: qemu.py IMAGE WAY... -- QEMU [ARG...]

  IMAGE  what this machine's NVMe drive holds
  WAY    how the devices are given: type1 or iommufd, by their groups and that
         container; cdev, by their cdevs and an iommufd
"""

import sys

import edu
import pci
from qemu_boot import check_boot
from qemu_edu import check_edu
from report import Report

NVME = (0x1b36, 0x0010)


class Passthrough:
    """A way to give devices to QEMU: its arguments."""

    def __init__(self, kind):
        self.kind = kind
        self.objects = []
        self._property = ''
        if kind == 'cdev':
            self.objects = ['-object', 'iommufd,id=iommufd0']
            self._property = ',iommufd=iommufd0'
        else:
            pci.use_container(kind)

    def device(self, address, properties):
        """A device of this machine."""
        return ['-device', f'vfio-pci,host={address},{properties}{self._property}']


def main():
    """See above."""
    separator = sys.argv.index('--')
    image, *kinds = sys.argv[1:separator]
    binary = sys.argv[separator + 1:]
    edus = pci.own_groups(pci.find(edu.VENDOR_ID, edu.DEVICE_ID))
    (drive,) = pci.find(*NVME)
    for address in *edus, drive:
        pci.give_to_vfio(address)
    report = Report()
    for kind in kinds:
        passthrough = Passthrough(kind)
        check_edu(report, binary, passthrough, edus[:1])
        check_edu(report, binary, passthrough, edus[:2])
        check_boot(report, binary, passthrough, drive, image)
    report.end()


if __name__ == '__main__':
    main()
