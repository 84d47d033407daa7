"""An empty stand-in for NumPy, where there is none: modules can be imported, nothing is computed.

`test_lite` runs it under Pyodide, before the course's library.
"""

import sys
import types


class Named(type):
    """A class for every name, so that ``isinstance`` and annotations have something to name."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Named(name, (Absent,), {})


class Absent(metaclass=Named):
    """What a call gives, and any operation upon it."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent()

    def __call__(self, *args, **kwargs):
        return self

    def __int__(self):
        return 0

    def _same(self, *others):
        return self

    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __neg__ = _same
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __getitem__ = _same


class AbsentModule(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Named(name, (Absent,), {})


def stand_in(*names):
    """Put an empty module under each name."""
    for name in names:
        sys.modules[name] = AbsentModule(name)
