"""A progress bar of one line of text, for a terminal and for a log alike."""

import sys
import time


class Bar:
    """Count steps to a total.

    In a terminal the line is redrawn in place, ten times a second at most; elsewhere (a log, a
    pipe) only the finished line is written.

    Parameters
    ----------
    total : int
    label : str
    stream : file, optional
        Standard error by default.
    show : bool, optional
    """

    def __init__(self, total, label, stream=None, show=True):
        self.total, self.label = total, label
        self.stream = stream or sys.stderr
        self.show = show
        self.done = 0
        self.note = ""
        self._drawn = 0.0
        self._width = 0

    def advance(self, note="", steps=1):
        """Go `steps` further; `note` says what is being done, in a few words."""
        self.done += steps
        self.note = note
        finished = self.done >= self.total
        now = time.monotonic()
        if self.show and (finished or (self._in_place and now - self._drawn > 0.1)):
            self._drawn = now
            self._draw(finished)

    def line(self, width=24):
        """The bar as text."""
        full = width * self.done // max(self.total, 1)
        bar = "█" * full + "░" * (width - full)
        return f"{self.label} {bar} {self.done}/{self.total} {self.note}".rstrip()

    def close(self):
        """Leave an unfinished line alone: end it, so that what follows stands below."""
        if self.show and self._in_place and self._width and self.done < self.total:
            self.stream.write("\n")

    @property
    def _in_place(self):
        return bool(getattr(self.stream, "isatty", lambda: False)())

    def _draw(self, finished):
        line = self.line()
        start = "\r" if self._in_place else ""
        self.stream.write(start + line.ljust(self._width) + ("\n" if finished else ""))
        self.stream.flush()
        self._width = len(line)
