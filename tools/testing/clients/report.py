# SPDX-License-Identifier: GPL-2.0-only
"""What a client's run says: a line for each rule, the totals at the end.

Knows nothing of the clients.
"""

import contextlib
import os
import sys
import time
import traceback


class Failure(Exception):
    """A rule does not hold."""


class Report:
    """Counts the rules that held and those that did not."""

    def __init__(self):
        self.where = ''
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    @contextlib.contextmanager
    def section(self, where):
        """Names what the following rules are about. Whatever goes wrong inside
        ends the section and is one failed rule."""
        print(f'# {where}', flush=True)
        self.where = where
        try:
            yield
        except Exception as error:
            self._fail('runs to its end', error)

    @contextlib.contextmanager
    def rule(self, text):
        """One rule: it holds if the body comes to its end."""
        try:
            yield
        except Exception as error:
            self._fail(text, error)
        else:
            self.passed += 1
            print(f'ok      {self.where}: {text}', flush=True)

    def skip(self, text, reason):
        """A rule that cannot be looked at here."""
        self.skipped += 1
        print(f'skipped {self.where}: {text}: {reason}', flush=True)

    def _fail(self, text, error):
        self.failed += 1
        print(f'FAILED  {self.where}: {text}: {error}', flush=True)
        if not isinstance(error, Failure):
            traceback.print_exc(file=sys.stdout)

    def end(self):
        """Prints the totals and ends the program."""
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped',
              flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def expect(truth, text):
    """Fails the rule unless something is so."""
    if not truth:
        raise Failure(text)


def expect_equal(actual, wanted, what):
    """Fails the rule unless two values are the same."""
    if actual != wanted:
        raise Failure(f'{what} is {shorten(actual)}, not {shorten(wanted)}')


def wait_until(condition, seconds, what):
    """Fails unless something becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f'not after {seconds} s: {what}')
        time.sleep(0.05)


def shorten(value):
    """A value as a person can read it."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 64 else text[:61] + '...'


def output_path(name):
    """Where a file outlives the virtual machine."""
    return os.path.join(os.environ.get('VM_OUTPUT', '/tmp'), name)
