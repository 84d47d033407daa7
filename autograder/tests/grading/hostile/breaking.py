"""Attacks that want the grader to hang, to crash, or to run out of something."""

from functools import partial

from autograder.tests.grading.hostile import CHANNEL, Attack, before
from autograder.tests.grading.hostile import within as within_

within = partial(within_, victim="last_states")

ATTACKS = {
    "a loop": within("while True: pass"),
    "a loop while defining": before("while True: pass"),
    "a loop that ignores signals": within(
        "while True: pass", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"
    ),
    "a loop that blocks signals": within(
        "while True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))",
    ),
    "a sleep that swallows everything": within(
        "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
    ),
    "a loop that no signal reaches": within("return 9 ** (9 ** 9)"),
    "a regular expression without end": within(
        "import re\nre.match(r'(a+)+$', 'a' * 64 + 'b')\nreturn z"
    ),
    "a lock that is never free": within(
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"
    ),
    "reading what never comes": within("return input()"),
    "os._exit": within("import os\nos._exit(0)"),
    "os._exit while defining": before("import os\nos._exit(0)"),
    "SystemExit": within("raise SystemExit(0)"),
    "KeyboardInterrupt": within("raise KeyboardInterrupt"),
    "an exception of its own kind": within("raise E('e')", "class E(BaseException): pass"),
    "an exception that cannot be read": within(
        "raise E", "class E(Exception):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__"
    ),
    "an exception that cannot be read while defining": before(
        "class E(Exception):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\nraise E"
    ),
    "a warning that cannot be read": within(
        "import warnings\nwarnings.warn(W())\nreturn z",
        "class W(UserWarning):\n    def __str__(self): raise SystemExit",
    ),
    "a segfault": within("import ctypes\nctypes.string_at(0)"),
    "abort": within("import os\nos.abort()"),
    "its own death": within("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    "its own death by a signal without a name": within("import os\nos.kill(os.getpid(), 40)"),
    "a signal without a name while defining": before("import os\nos.kill(os.getpid(), 40)"),
    "a stop": within("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass"),
    "recursion": within("return last_states(z, mask)"),
    "recursion without a limit": within(
        "return last_states(z, mask)", "import sys\nsys.setrecursionlimit(1 << 30)"
    ),
    "a finaliser without end": within(
        "return D()", "class D:\n    def __del__(self):\n        while True: pass"
    ),
    "an exit without end": before(
        "import atexit, time\n@atexit.register\ndef forever():\n    while True: time.sleep(1)"
    ),
    "an import without end": within(
        "import never\nreturn z",
        "import sys\nclass Finder:\n    def find_spec(self, *a):\n        while True: pass\n"
        "sys.meta_path.insert(0, Finder())",
        whole=True,
    ),
    "a trace without end": within(
        "import sys\ndef trace(*a):\n    while True: pass\nsys.settrace(trace)\nreturn len(str(z))"
    ),
    "memory": within("return np.ones(1 << 40)"),
    "memory bit by bit": within("kept = []\nwhile True: kept.append(np.ones(1 << 24))"),
    "memory in one text": within("return 'x' * (1 << 36)"),
    "processes": within("import os\nwhile True: os.fork()"),
    "threads": within(
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()"
    ),
    "files": within(
        "import tempfile\nkept = []\nwhile True: kept.append(tempfile.TemporaryFile())"
    ),
    "a file without end": within(
        "with open('big', 'wb') as file:\n    while True: file.write(bytes(1 << 24))"
    ),
    "many files": within("for n in range(10 ** 9): open(f'f{n}', 'wb').write(bytes(1 << 20))"),
    "shared memory": within("with open('/dev/shm/big', 'wb') as f:\n    while True: f.write(bytes(1 << 24))"),
    "a flood": within("while True: print('x' * 10_000)"),
    "a flood while defining": before("while True: print('x' * 10_000)"),
    "a flood in one line": before("print('x' * 300_000_000)"),
    "a flood on every descriptor": before(
        "import os\nfor fd in (1, 2):\n    for _ in range(3000):\n        os.write(fd, b'x' * 65536)"
    ),
    "a flood of the channel": before(
        "import os\nfor fd in range(3, 64):\n    try:\n        while True: os.write(fd, b'\\xff' * 65536)\n"
        "    except OSError: pass",
        whole=True,
    ),
    "bytes out of band": before(
        CHANNEL + "for s in channel():\n    for _ in range(9): s.send(b'x', socket.MSG_OOB)", whole=True
    ),
    "a flood of descriptors": before(
        CHANNEL + "for s in channel():\n"
        "    for _ in range(99): socket.send_fds(s, [b'\\0'], [s.fileno()] * 99)",
        whole=True,
    ),
    "a channel with one end": before(
        CHANNEL + "for s in channel(): s.shutdown(socket.SHUT_RD)", whole=True
    ),
    "a byte now and then": before(
        CHANNEL + "def drip(s):\n    while True: s.send(b'\\0'), time.sleep(0.01)\n"
        "for s in channel(): drip(s)",
        whole=True,
    ),
    "a giant answer": within("return np.ones(40 << 20, dtype='u1')"),
    "a broadcast that is a giant": within("return np.broadcast_to(1.0, (1 << 16, 1 << 16))"),
    "a list within itself": within("a = []\na.append(a)\nreturn a"),
    "ten lists in each of ten lists": within(
        "a = [0.5, 'x']\nfor _ in range(11): a = [a] * 10\nreturn a"
    ),
    "deep nesting": within("a = []\nfor _ in range(9999): a = [a]\nreturn a"),
    "a NamedTuple of a million fields": within(
        "class T(tuple): _fields = tuple(f'f{n}' for n in range(1_000_000))\n"
        "return T(range(1_000_000))"
    ),
    "a mapping without end": within(
        "return M()",
        "from collections.abc import Mapping\nimport itertools\nclass M(Mapping):\n"
        "    def __getitem__(self, k): return k\n    def __len__(self): return 1\n"
        "    def __iter__(self): return itertools.count()",
    ),
    "an object array": within("return np.array([object()] * 3)"),
    "an integer of a million digits": within("return 1 << 4_000_000"),
    "a text of its own kind": within(
        "return S('s')", "class S(str):\n    def __str__(self): return S('s')"
    ),
    "a type without a name": within(
        "return T()",
        "class Meta(type):\n    __name__ = property(lambda c: 5)\nclass T(metaclass=Meta): pass",
    ),
    "a type with a name of a megabyte": within("return type('T' * 1_000_000, (), {})()"),
    "eight zip bombs": within(
        "import gzip, io\ndata = bytes(1 << 26)\nfor _ in range(8): data = gzip.compress(data)\n"
        "return io.BytesIO(data)"
    ),
    "a cell of 90,000 brackets": Attack({"softmax": "x = " + "(" * 90_000}),
    "a sum of 40,000 terms": Attack({"softmax": "x = " + "1 + " * 20_000 + "1"}),
    "a number that cannot be written in tens": within("return 0x" + "f" * 5_000),
    "a cell of NULs": Attack({"softmax": "def softmax(z):\n    return z\0\0\0"}),
    "a cell of half characters": Attack({"softmax": "def softmax(z):\n    return '\ud800'"}),
    "a thousand decorators": Attack(
        {"softmax": "@(lambda f: f)\n" * 1000 + "def softmax(z):\n    return z\n"}
    ),
}  # fmt: skip
