# SPDX-License-Identifier: GPL-2.0-only
"""dpdk-testpmd and its prompt.

Knows what testpmd is told and what it prints. Knows nothing of the NICs.
"""

import os
import pty
import re
import select
import subprocess
import time
import tty

from report import Failure, output_path

PROMPT = 'testpmd> '
START_LIMIT = 240
ANSWER_LIMIT = 240

# The drivers that are needed, not all that are installed: each takes time.
DRIVERS = ('bus_pci', 'mempool_ring', 'net_e1000')


class Testpmd:
    """A testpmd that waits for orders."""

    def __init__(self, name, *eal):
        self.log_path = output_path(f'{name}.log')
        self.log = open(self.log_path, 'w', encoding='utf-8')
        command = ['dpdk-testpmd', '-l', '0-1', '--iova-mode=va']
        for driver in DRIVERS:
            command += ['-d', f'librte_{driver}.so']
        command += [*eal, '--', '-i', '--total-num-mbufs=4096', '--hot-plug',
                    '--no-lsc-interrupt']
        self.log.write(' '.join(command) + '\n')

        # On a pipe it would keep its answers in a buffer.
        self.terminal, theirs = pty.openpty()
        tty.setraw(theirs)
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self._wait_prompt(START_LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        self.log.close()

    def _read(self, end):
        """What testpmd says until a time, nothing after its end."""
        ready = select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]
        try:
            data = os.read(self.terminal, 65536) if ready else b''
        except OSError:
            data = b''
        text = data.decode('utf-8', 'replace')
        self.log.write(text)
        self.log.flush()
        return text

    def _wait_prompt(self, limit):
        """What testpmd says before it waits for the next order."""
        text = ''
        end = time.monotonic() + limit
        while PROMPT not in text:
            more = self._read(end)
            if not more:
                raise Failure(f'testpmd is dead or silent for {limit} s: '
                              + ' / '.join(text.splitlines()[-3:]))
            text += more
        return text

    def order(self, text, limit=ANSWER_LIMIT):
        """Gives an order; what testpmd answers."""
        os.write(self.terminal, text.encode() + b'\n')
        return self._wait_prompt(limit)

    def quit(self):
        """Ends testpmd; its exit status."""
        os.write(self.terminal, b'quit\n')
        while self._read(time.monotonic() + ANSWER_LIMIT):
            pass
        return self.process.wait(timeout=ANSWER_LIMIT)

    def statistics(self):
        """The NICs' own counters: {port: {'RX-packets': ...}}."""
        ports = {}
        for part in self.order('show port stats all').split('NIC statistics for port ')[1:]:
            counters = re.findall(r'([RT]X-[a-z]+): +(\d+)', part)
            ports[int(part.split()[0])] = {name: int(value) for name, value in counters}
        return ports

    def ports(self):
        """Which ports there are: {PCI address: port}."""
        pairs = re.findall(r'Infos for port (\d+) .*?Device name: (\S+)',
                           self.order('show port info all'), re.DOTALL)
        return {name: int(port) for port, name in pairs}
