# SPDX-License-Identifier: GPL-2.0-only
"""Progress of a long step: one line that moves on a terminal, a line now and then elsewhere."""

import shutil
import sys
import time

QUIET = 30.0        # seconds between lines when there is no terminal


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    """total 0 = not known."""

    def __init__(self, label, total=0, stream=sys.stdout):
        self.label, self.total, self.stream = label, total, stream
        self.live = stream.isatty()
        self.count = 0
        self.started = self.shown = time.monotonic()

    def step(self, what="", count=1):
        self.count += count
        now = time.monotonic()
        if now - self.shown >= (0.2 if self.live else QUIET):
            self.shown = now
            self._print(what)

    def done(self, text):
        """Replace the moving line by the final one."""
        start = "\r\x1b[K" if self.live else ""
        self.stream.write(f"{start}{self.label}: {text}, {clock(time.monotonic() - self.started)}\n")
        self.stream.flush()

    def clear(self):
        if self.live:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _print(self, what):
        total = f" of {max(self.total, self.count)}" if self.total else ""
        text = f"{self.label}: {self.count}{total}, {clock(time.monotonic() - self.started)}  {what}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r\x1b[K" + text[:width])
        else:
            self.stream.write(text.rstrip() + "\n")
        self.stream.flush()
