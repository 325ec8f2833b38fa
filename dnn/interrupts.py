"""Signals that wait until what they would break in two is whole.

    with interrupts.whole() as signals:
        while …:
            …                       # what belongs together: a training step and its counters
            signals.deliver()       # here one that came meanwhile takes effect

Ctrl-C (SIGINT), SIGTERM, SIGHUP, SIGALRM, SIGUSR1 and SIGUSR2 wait, each where Python handles it:
by its own handler, which raises KeyboardInterrupt, or by a user's, which is then called at the next
`deliver`, or at the end of the block. A second one of the same kind does not wait. A signal whose
handling was left to the system does what it always did. To have a `fit` end at a whole step on
SIGTERM too, give SIGTERM a handler that raises; `fit` does the rest:

    signal.signal(signal.SIGTERM, signal.default_int_handler)

Blocks may lie in one another, as `fit` in a callback of another `fit`; signals wait for the next
`deliver` of any, or for the end of the outermost. Python handles signals in the main thread alone,
so in others the block changes nothing.
"""

import contextlib
import signal
import sys
import threading

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2")  # not all on Windows
_current = None  # the main thread's


class Signals:
    """What `whole` gives. Stands in place of the handlers of signals while its block lasts."""

    def __init__(self):
        self._handlers = {}  # {number: the handler in whose place it stands}
        self._waiting = {}  # in the order in which they came

    def deliver(self):
        """Let the signals that wait take effect; most often there are none."""
        while self._waiting:
            number = next(iter(self._waiting))
            del self._waiting[number]
            self._handlers[number](number, sys._getframe(1))

    def _arrived(self, number, frame):
        if number in self._waiting:  # the second
            del self._waiting[number]
            self._handlers[number](number, frame)
        else:
            self._waiting[number] = True

    def _stand_in(self, name, stack):
        number = getattr(signal, name, None)
        handler = number and signal.getsignal(number)
        if callable(handler):
            self._handlers[number] = handler
            stack.callback(self._restore, number)
            signal.signal(number, self._arrived)

    def _restore(self, number):
        if signal.getsignal(number) == self._arrived:  # else somebody has set another meanwhile
            signal.signal(number, self._handlers[number])


@contextlib.contextmanager
def whole():
    """A block in which signals wait; gives its Signals."""
    global _current
    if threading.current_thread() is not threading.main_thread():
        yield Signals()  # which none reach
        return
    if _current is not None:
        yield _current
        return
    signals = _current = Signals()
    try:
        with contextlib.ExitStack() as stack:  # restores SIGINT last: after that it may strike
            for name in NAMES:
                signals._stand_in(name, stack)
            yield signals
    finally:
        _current = None
        signals.deliver()
