# SPDX-License-Identifier: GPL-2.0-only
"""PCI devices of this machine, their way to vfio-pci, and what answers at
/dev/vfio/vfio.

Knows sysfs. Knows nothing of the programs that use the devices.
"""

import os
import subprocess

from report import expect_equal, wait_until

DEVICES = '/sys/bus/pci/devices'
CONTAINER = '/dev/vfio/vfio'
IOMMUFD = '/dev/iommu'


def _attribute(address, name):
    with open(f'{DEVICES}/{address}/{name}', encoding='ascii') as file:
        return file.read().strip()


def _write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def find(vendor, device):
    """Addresses of all devices of one kind, in ascending order."""
    return [address for address in sorted(os.listdir(DEVICES))
            if int(_attribute(address, 'vendor'), 16) == vendor
            and int(_attribute(address, 'device'), 16) == device]


def driver(address):
    """Name of the driver that has a device, or None."""
    try:
        return os.path.basename(os.readlink(f'{DEVICES}/{address}/driver'))
    except FileNotFoundError:
        return None


def group(address):
    """Number of a device's IOMMU group."""
    return int(os.path.basename(os.readlink(f'{DEVICES}/{address}/iommu_group')))


def give_to_vfio(address):
    """Makes vfio-pci a device's driver."""
    _write(f'{DEVICES}/{address}/driver_override', 'vfio-pci')
    if driver(address) not in (None, 'vfio-pci'):
        _write(f'{DEVICES}/{address}/driver/unbind', address)
    if driver(address) is None:
        _write('/sys/bus/pci/drivers_probe', address)
    expect_equal(driver(address), 'vfio-pci', f'driver of {address}')


def own_groups(addresses):
    """Those devices that share their IOMMU group with no other in the list."""
    groups = [group(address) for address in addresses]
    return [address for address in addresses if groups.count(group(address)) == 1]


def remove(address):
    """Pulls the device out: it leaves the bus. Returns when its driver, and so
    every program, has let go of it."""
    _write(f'{DEVICES}/{address}/remove', '1')


def rescan(address):
    """Puts in again what remove() has pulled out."""
    _write('/sys/bus/pci/rescan', '1')
    wait_until(lambda: os.path.exists(f'{DEVICES}/{address}'), 120,
               f'{address} is back on the bus')


def _same_device(one, other):
    return os.stat(one).st_rdev == os.stat(other).st_rdev


def use_container(kind):
    """Chooses who answers at /dev/vfio/vfio: 'type1', VFIO's own container, or
    'iommufd'. A bind mount, since some programs look at the name of the file
    that they have opened."""
    while _same_device(CONTAINER, IOMMUFD):
        subprocess.run(['umount', CONTAINER], check=True)
    if kind == 'iommufd':
        subprocess.run(['mount', '--bind', IOMMUFD, CONTAINER], check=True)
    expect_equal(_same_device(CONTAINER, IOMMUFD), kind == 'iommufd',
                 f'that {CONTAINER} is {IOMMUFD}')


def show_vfio_as_modules():
    """Makes a kernel that has VFIO built in look as if it had loaded it: some
    programs do not look further."""
    if not os.path.isdir('/sys/module/vfio'):
        subprocess.run(['mount', '-t', 'tmpfs', 'modules', '/sys/module'], check=True)
        for module in 'vfio', 'vfio_pci':
            os.mkdir(f'/sys/module/{module}')
