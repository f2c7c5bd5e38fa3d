# SPDX-License-Identifier: GPL-2.0-only
"""VFIO's classic interface: container, groups and the devices in them.

Knows the ioctls. Knows nothing of what a device is.
"""

import ctypes
import fcntl
import mmap
import os
import struct

TYPE1, TYPE1V2 = 1, 3
READ, WRITE = 1, 2
UNMAP_ALL = 2
GROUP_VIABLE = 1
REGION_BAR0, REGION_CONFIG = 0, 7
INFO_CAPABILITIES = 2
CAPABILITY_IOVA_RANGES = 1

PCI_COMMAND = 4
PCI_MEMORY_AND_MASTER = 6

(GET_API_VERSION, CHECK_EXTENSION, SET_IOMMU, GROUP_GET_STATUS, GROUP_SET_CONTAINER,
 GROUP_UNSET_CONTAINER, GROUP_GET_DEVICE_FD, _, DEVICE_GET_REGION_INFO) = range(0x3b64, 0x3b6d)
DEVICE_RESET, DEVICE_HOT_RESET = 0x3b6f, 0x3b71
IOMMU_GET_INFO, IOMMU_MAP_DMA, IOMMU_UNMAP_DMA = 0x3b70, 0x3b71, 0x3b72


def _call(fd, request, layout, *values):
    """An ioctl whose structure starts with its size; the structure after it."""
    buffer = bytearray(struct.pack('=I' + layout, 0, *values))
    struct.pack_into('=I', buffer, 0, len(buffer))
    fcntl.ioctl(fd, request, buffer)
    return struct.unpack('=I' + layout, buffer)[1:]


class Container:
    """An open /dev/vfio/vfio."""

    def __init__(self):
        self.fd = os.open('/dev/vfio/vfio', os.O_RDWR | os.O_CLOEXEC)

    def close(self):
        """Closes it."""
        os.close(self.fd)

    def api_version(self):
        """Version of the interface."""
        return fcntl.ioctl(self.fd, GET_API_VERSION)

    def has(self, extension):
        """Whether it can do something."""
        return fcntl.ioctl(self.fd, CHECK_EXTENSION, extension) > 0

    def set_iommu(self, kind):
        """Chooses TYPE1 or TYPE1V2, with a group in the container."""
        fcntl.ioctl(self.fd, SET_IOMMU, kind)

    def iova_ranges(self):
        """Which IOVAs can be mapped: [(first, last)]."""
        buffer = bytearray(4096)
        struct.pack_into('=I', buffer, 0, len(buffer))
        fcntl.ioctl(self.fd, IOMMU_GET_INFO, buffer)
        flags, _, offset = struct.unpack_from('=IQI', buffer, 4)
        while flags & INFO_CAPABILITIES and offset:
            kind, _, following, count = struct.unpack_from('=HHII', buffer, offset)
            if kind == CAPABILITY_IOVA_RANGES:
                return [struct.unpack_from('=QQ', buffer, offset + 16 + 16 * i)
                        for i in range(count)]
            offset = following
        return []

    def map(self, memory, iova):
        """Lets the devices read and write memory."""
        _call(self.fd, IOMMU_MAP_DMA, 'IQQQ', READ | WRITE, memory.address, iova, memory.size)

    def unmap(self, iova, size):
        """Takes that back; the number of bytes."""
        return _call(self.fd, IOMMU_UNMAP_DMA, 'IQQ', 0, iova, size)[2]


class Group:
    """An open IOMMU group."""

    def __init__(self, number):
        self.fd = os.open(f'/dev/vfio/{number}', os.O_RDWR | os.O_CLOEXEC)

    def close(self):
        """Closes it."""
        os.close(self.fd)

    def viable(self):
        """Whether no device of the group is in other hands."""
        return bool(_call(self.fd, GROUP_GET_STATUS, 'I', 0)[0] & GROUP_VIABLE)

    def join(self, container):
        """Puts the group into a container."""
        fcntl.ioctl(self.fd, GROUP_SET_CONTAINER, struct.pack('=i', container.fd))

    def leave(self):
        """Takes it out again."""
        fcntl.ioctl(self.fd, GROUP_UNSET_CONTAINER)

    def device(self, address):
        """Opens a device of the group."""
        name = ctypes.create_string_buffer(address.encode())
        return Device(fcntl.ioctl(self.fd, GROUP_GET_DEVICE_FD, name))


class Device:
    """An open device whose BAR 0 is within reach."""

    def __init__(self, fd):
        self.fd = fd
        size, offset = self._region(REGION_BAR0)
        self.bar = mmap.mmap(fd, size, offset=offset)
        self.enable()

    def close(self):
        """Closes the device."""
        self.bar.close()
        os.close(self.fd)

    def _region(self, index):
        """Size and offset of a region."""
        return _call(self.fd, DEVICE_GET_REGION_INFO, 'IIIQQ', 0, index, 0, 0, 0)[3:]

    def enable(self):
        """Lets BAR 0 decode and the device do DMA."""
        offset = self._region(REGION_CONFIG)[1]
        os.pwrite(self.fd, struct.pack('=H', PCI_MEMORY_AND_MASTER), offset + PCI_COMMAND)

    def hot_reset(self, groups):
        """Resets the bus that the device is on, all of whose devices are in the
        groups."""
        fds = [group.fd for group in groups]
        _call(self.fd, DEVICE_HOT_RESET, f'II{len(fds)}i', 0, len(fds), *fds)

    def _register(self, width, offset):
        kind = {'l': ctypes.c_uint32, 'q': ctypes.c_uint64}[width]
        return kind.from_buffer(self.bar, offset)

    def load(self, width, offset):
        """One load from BAR 0 of a width: l, q."""
        return self._register(width, offset).value

    def store(self, width, offset, value):
        """One store to BAR 0 of a width: l, q."""
        self._register(width, offset).value = value


class Memory:
    """Memory of this process that devices can be given."""

    def __init__(self, size):
        self.size = size
        self.bytes = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.bytes))
