# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU whose processors stand still: the test moves RAM, ports and PCI
configuration itself, through the qtest protocol, and gives orders through QMP.

Knows QEMU's two protocols and its q35 machine. Knows nothing of the devices
that are in it.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile

from report import Failure, output_path

START_LIMIT = 240
ANSWER_LIMIT = 240

# A machine with nothing in it, for a QEMU of any version
BARE = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', '-accel', 'tcg']

CONFIG_ADDRESS = 0xcf8
CONFIG_DATA = 0xcfc


class Channel:
    """One line of text there, one line back."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(0.5)
        self.stream = None

    def accept(self, process):
        """Waits for a QEMU to connect."""
        for _ in range(2 * START_LIMIT):
            try:
                connection, _ = self.listener.accept()
            except socket.timeout:
                if process.poll() is not None:
                    raise Failure(f'QEMU ended with status {process.returncode}') from None
                continue
            connection.settimeout(ANSWER_LIMIT)
            self.stream = connection.makefile('rw', encoding='ascii', newline='\n')
            return
        raise Failure(f'QEMU did not connect within {START_LIMIT} s')

    def send(self, line):
        """Sends one line."""
        self.stream.write(line + '\n')
        self.stream.flush()

    def receive(self):
        """Waits for one line."""
        try:
            line = self.stream.readline()
        except OSError as error:
            raise Failure(f'no answer from QEMU: {error}') from None
        if not line:
            raise Failure('QEMU closed the connection')
        return line.rstrip('\n')


class Machine:
    """A QEMU process."""

    def __init__(self, name, binary, *arguments):
        """Starts QEMU with a q35 machine; the rest is the caller's. Its messages
        go to a file with the name given."""
        self.directory = tempfile.mkdtemp()
        self.log_path = output_path(f'{name}.log')
        self.events = []
        qtest, qmp = (os.path.join(self.directory, file) for file in ('qtest', 'qmp'))
        self._qtest = Channel(qtest)
        self._qmp = Channel(qmp)
        command = [*binary, *BARE, '-S', '-qtest', f'unix:{qtest}', '-qtest-log', 'none',
                   '-qmp', f'unix:{qmp}', *arguments]
        with open(self.log_path, 'w', encoding='utf-8') as log:
            log.write(' '.join(command) + '\n')
            log.flush()

            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        try:
            self._qtest.accept(self.process)
            self._qmp.accept(self.process)
            self._qmp.receive()
            self.qmp('qmp_capabilities')
        except Failure as error:
            self.kill()
            raise Failure(f'{error}: {self.last_words()}') from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Ends QEMU, however it is."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def quit(self):
        """Asks QEMU to end; the return value is its exit status."""
        self.qmp('quit')
        return self.process.wait(timeout=ANSWER_LIMIT)

    def last_words(self):
        """What QEMU complained about."""
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            return ' / '.join(log.read().splitlines()[1:][-4:])

    # QMP

    def qmp(self, command, **arguments):
        """Gives an order and returns the answer. A word's _ stands for -."""
        words = {key.replace('_', '-'): value for key, value in arguments.items()}
        self._qmp.send(json.dumps({'execute': command, 'arguments': words}))
        while True:
            answer = json.loads(self._qmp.receive())
            if 'event' in answer:
                self.events.append(answer)
            elif 'error' in answer:
                raise Failure(f'{command}: {answer["error"]["desc"]}')
            else:
                return answer['return']

    def wait_event(self, name):
        """Waits for an event that was not waited for before."""
        while True:
            for event in self.events:
                if event['event'] == name:
                    self.events.remove(event)
                    return event
            event = json.loads(self._qmp.receive())
            if 'event' in event:
                self.events.append(event)

    def reset(self):
        """Resets the machine as its button would. RAM keeps what it holds."""
        self.qmp('system_reset')
        self.wait_event('RESET')

    # qtest

    def _do(self, *words):
        self._qtest.send(' '.join(words))
        while True:
            status, *rest = self._qtest.receive().split()
            if status == 'OK':
                return rest
            if status != 'IRQ':
                raise Failure(f'qtest: {words[0]}: {" ".join(rest)}')

    def read(self, address, size):
        """Bytes of memory."""
        return bytes.fromhex(self._do('read', hex(address), hex(size))[0][2:])

    def write(self, address, data):
        """Stores bytes into memory."""
        self._do('write', hex(address), hex(len(data)), '0x' + data.hex())

    def fill(self, address, size, byte):
        """Stores the same byte many times."""
        self._do('memset', hex(address), hex(size), hex(byte))

    def load(self, width, address):
        """One load of a width: b, w, l, q."""
        return int(self._do(f'read{width}', hex(address))[0], 16)

    def store(self, width, address, value):
        """One store of a width: b, w, l, q."""
        self._do(f'write{width}', hex(address), hex(value))

    def port_in(self, width, port):
        """Reads a port: b, w, l."""
        return int(self._do(f'in{width}', hex(port))[0], 16)

    def port_out(self, width, port, value):
        """Writes a port: b, w, l."""
        self._do(f'out{width}', hex(port), hex(value))


class PciFunction:
    """A device on the machine's first PCI bus."""

    COMMAND, BAR0, CAPABILITIES = 0x04, 0x10, 0x34
    MEMORY_AND_MASTER = 0x6
    MSI = 0x05

    def __init__(self, machine, slot, address):
        """address is where BAR 0 shall be."""
        self.machine = machine
        self.address = address
        self._base = 0x80000000 | slot << 11

    def config_read(self, width, offset):
        """Reads configuration space: b, w, l."""
        self.machine.port_out('l', CONFIG_ADDRESS, self._base | offset & ~3)
        return self.machine.port_in(width, CONFIG_DATA + (offset & 3))

    def config_write(self, width, offset, value):
        """Writes configuration space: b, w, l."""
        self.machine.port_out('l', CONFIG_ADDRESS, self._base | offset & ~3)
        self.machine.port_out(width, CONFIG_DATA + (offset & 3), value)

    def identity(self):
        """Vendor and device number."""
        return self.config_read('w', 0), self.config_read('w', 2)

    def load(self, width, offset):
        """One load from BAR 0 of a width: b, w, l, q."""
        return self.machine.load(width, self.address + offset)

    def store(self, width, offset, value):
        """One store to BAR 0 of a width: b, w, l, q."""
        self.machine.store(width, self.address + offset, value)

    def enable(self):
        """Places BAR 0, lets it decode and the device do DMA."""
        self.config_write('l', self.BAR0, self.address)
        self.config_write('w', self.COMMAND, self.MEMORY_AND_MASTER)

    def set_msi(self, address, data):
        """Makes the device's interrupt a store of 4 bytes."""
        offset = self.config_read('b', self.CAPABILITIES)
        while self.config_read('b', offset) != self.MSI:
            offset = self.config_read('b', offset + 1)
            if not offset:
                raise Failure('the device has no MSI')
        self.config_write('l', offset + 4, address)
        self.config_write('l', offset + 8, 0)
        self.config_write('w', offset + 12, data)
        self.config_write('w', offset + 2, self.config_read('w', offset + 2) | 1)
