"""Attacks that want to reach past their process, or to outlive it.

`{port}`, `{abstract}` and `{outside}` stand for a listener on this machine, an abstract socket and a
folder with a file called "mine". What would do harm if it worked is only begun: a file is opened for
writing and not written, the signal is SIGCONT.
"""

from autograder.tests.grading.hostile import Attack, before


def tries(code: str) -> Attack:
    """Code of which every line is tried; a line that works says so."""
    lines = [
        f"try:\n    {line}\n    print('REACHED', {n})\nexcept BaseException as e: print('refused', e)"
        for n, line in enumerate(code.strip().split("\n"))
    ]
    return before("\n".join(["import ctypes, os, signal, socket, subprocess, sys", *lines]))


ATTACKS = {
    "TCP": tries(
        "socket.create_connection(('127.0.0.1', {port}), 2).sendall(b'hello')\n"
        "socket.create_connection(('::1', {port}), 2)\n"
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:{port}', timeout=2)"
    ),
    "UDP": tries(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))"
    ),
    "sockets of other kinds": tries(
        "socket.socket(socket.AF_UNIX).connect('\\0{abstract}')\n"
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n"
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
        "socket.socket(socket.AF_VSOCK)\n"
        "socket.create_server(('127.0.0.1', 0))"
    ),
    "raw system calls": tries(
        "assert ctypes.CDLL(None).socket(2, 1, 0) >= 0\n"
        "assert ctypes.CDLL(None).syscall(101, 0, 0, 0, 0) >= 0\n"  # ptrace
        "assert ctypes.CDLL(None).unshare(0x10000000) == 0\n"  # a user namespace
        "assert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0\n"
        "assert ctypes.CDLL(None).chroot(b'/tmp') == 0\n"
        "assert ctypes.CDLL(None).syscall(425, 8, bytes(120)) >= 0\n"  # io_uring
        "assert ctypes.CDLL(None).syscall(321, 0, bytes(128), 128) >= 0\n"  # bpf
        "assert ctypes.CDLL(None).syscall(250, 0, -3, 0) >= 0\n"  # keyctl
        "assert ctypes.CDLL(None).syscall(310, os.getppid(), 0, 0, 0, 0, 0) >= 0"  # process memory
    ),
    "a daemon": tries(
        "pid = os.fork(); pid or (os.setsid(), __import__('time').sleep(300), os._exit(0))"
    ),
    # a small stack lets thousands of them into the limit of memory: more than a machine has numbers for
    "threads": tries(
        "__import__('threading').Thread(target=print).start()\n"
        "assert ctypes.CDLL(None).pthread_create(bytes(8), None, ctypes.CDLL(None).pause, None) == 0"
    ),
    "programs": tries(
        "subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "os.posix_spawn('/bin/sleep', ['sleep', '300'], dict())\n"
        "assert os.system('nohup sleep 300 &') == 0\n"
        "get_ipython().system_raw('exec sleep 300')\n"
        "get_ipython().system_piped('sleep 300 &')\n"
        "os.execv('/bin/sleep', ['sleep', '300'])\n"
        "__import__('pty').fork()[0] or os._exit(0)"
    ),
    "multiprocessing": tries(
        "__import__('multiprocessing').get_context('fork').Process(target=print).start()\n"
        "__import__('multiprocessing').get_context('spawn').Process(target=print).start()\n"
        "__import__('concurrent.futures').futures.ProcessPoolExecutor().submit(print).result(1)"
    ),
    "signals to others": tries(
        "assert os.getppid(); os.kill(os.getppid(), signal.SIGCONT)\n"
        "os.kill(-1, signal.SIGCONT)\n"
        "os.kill(0, signal.SIGCONT)\n"
        "os.killpg(0, signal.SIGCONT)\n"
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGCONT)\n"
        "assert ctypes.CDLL(None).syscall(200, os.getppid(), 18) == 0 and os.getppid()\n"  # tkill
        "assert ctypes.CDLL(None).syscall(129, os.getppid() or 2, 18, bytes(128)) == 0"  # sigqueue
    ),
    "limits": tries(
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY, r.RLIM_INFINITY))\n"
        "import resource as r; assert r.getrlimit(r.RLIMIT_AS)[0] == r.RLIM_INFINITY\n"
        "import resource as r; r.prlimit(os.getppid() or 1, r.RLIMIT_NPROC, (9999, 9999))"
    ),
    "who comes first": tries(
        "os.nice(-5)\n"
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(0, 0))\n"
        "os.setpriority(os.PRIO_USER, 0, os.getpriority(0, 0))\n"
        "os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))\n"
        "os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))\n"
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    ),
    "the machine's settings": tries(
        "import time; time.clock_settime(time.CLOCK_REALTIME, time.time())\n"
        "socket.sethostname(socket.gethostname())\n"
        "assert ctypes.CDLL(None).iopl(3) == 0\n"
        "assert ctypes.CDLL(None).swapoff(b'/swap') == 0\n"
        "assert ctypes.CDLL(None).syscall(103, 10, 0, 0) >= 0\n"  # the kernel's log
        "os.setgroups([0])\n"
        "assert ctypes.CDLL(None).vhangup() == 0"
    ),
    "files outside": tries(
        "open('{outside}/mine').read()\n"
        "open('{outside}/mine', 'a')\n"
        "open('{outside}/mark', 'w').write('x')\n"
        "open('/var/tmp/unrolled-mark', 'w').write('x')\n"
        "os.symlink('{outside}', 'link'); open('link/mark', 'w').write('x')\n"
        "os.link('{outside}/mine', 'mine')\n"
        "os.mkdir('{outside}/folder')\n"
        "os.rename('{outside}/mine', '{outside}/theirs')\n"
        "os.unlink('{outside}/mine')\n"
        "os.truncate('{outside}/mine', 0)\n"
        "os.mkfifo('{outside}/pipe')\n"
        "os.chroot('{outside}')"
    ),
    # what Landlock has no word for: at its tier these files are there
    "the rights and times of files outside": tries(
        "os.chmod('{outside}/mine', 0o600)\n"
        "os.chmod('{outside}', 0o700)\n"
        "os.chown('{outside}/mine', os.getuid(), os.getgid())\n"
        "os.utime('{outside}/mine', (0, 0))\n"
        "os.setxattr('{outside}/mine', 'user.mark', b'x')\n"
        "os.removexattr('{outside}/mine', 'user.mark')\n"
        "os.listxattr('{outside}/mine')\n"
        "import numpy; os.chmod(numpy.__file__, 0o644)\n"
        "import numpy; os.utime(os.path.dirname(numpy.__file__))"
    ),
    "what others do with their files": tries(
        "libc = ctypes.CDLL(None); assert libc.inotify_init() >= 0\n"
        "libc = ctypes.CDLL(None); assert libc.inotify_init1(0) >= 0\n"
        "libc = ctypes.CDLL(None); assert libc.fanotify_init(0x200, 0) >= 0\n"
        "import fcntl; file = open(os.__file__); fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)\n"
        "import fcntl; fcntl.fcntl(os.open(os.path.dirname(os.__file__), 0), fcntl.F_NOTIFY, 63)"
    ),
    "the system's crash handler": tries(
        "assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"  # whether a crash would leave a core
        "assert ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0"
    ),
    "which processes and mounts there are": tries(
        "os.pidfd_open(os.getppid() or 1)\n"
        "libc = ctypes.CDLL(None, use_errno=True); libc.syscall(457, 0, 0, 0, 0); assert ctypes.get_errno() != 1\n"
        "libc = ctypes.CDLL(None, use_errno=True); libc.syscall(458, 0, 0, 0, 0); assert ctypes.get_errno() != 1"
    ),
    "the disk, the log and the timers of all": tries(
        "assert ctypes.CDLL(None).syscall(162) == 0\n"  # sync
        "assert ctypes.CDLL(None).syscall(317, 3, 0, bytes(8)) == 0\n"  # seccomp's sizes
        "libc = ctypes.CDLL(None, use_errno=True); libc.prctl(22, 2, 0, 0, 0); assert ctypes.get_errno() != 1\n"
        "libc = ctypes.CDLL(None); assert not any(libc.timer_create(0, None, bytes(8)) for _ in range(1000))"
    ),
    "the shared memory of others": tries(
        "libc = ctypes.CDLL(None); assert libc.shmctl(0, 14, bytes(200)) >= 0\n"  # SHM_INFO
        "libc = ctypes.CDLL(None, use_errno=True); libc.shmat(0, None, 4096); assert ctypes.get_errno() != 1\n"
        "libc = ctypes.CDLL(None); assert libc.semctl(0, 0, 19, bytes(200)) >= 0\n"  # SEM_INFO
        "libc = ctypes.CDLL(None); assert libc.msgctl(0, 12, bytes(200)) >= 0"  # MSG_INFO
    ),
    "the kernel's files": tries(
        "open('/proc/sys/kernel/core_pattern', 'r+')\n"
        "open('/proc/sysrq-trigger', 'w')\n"
        "open('/sys/kernel/uevent_helper', 'w')\n"
        "open('/dev/mem', 'rb')\n"
        "open('/dev/tty', 'w').write('x')\n"
        "os.mknod('disk', 0o60600, os.makedev(8, 0))"
    ),
    "the library of all who follow": tries(
        "import autograder.standins as s; open(s.__file__, 'a')\n"
        "import numpy; open(numpy.__file__, 'a')\n"
        "import course.given as g; open(g.__file__, 'a')\n"
        "import course.given as g; open(os.path.dirname(g.__file__) + '/sitecustomize.py', 'a')\n"
        "open(sys.executable, 'ab')\n"
        "open(os.path.dirname(os.__file__) + '/sitecustomize.py', 'a')"
    ),
    "what the next learner gets": before(
        "import os, sys, random, tempfile\nimport numpy as np\nimport course.given as g\n"
        "np.exp = lambda z: z * 0\ng.sigmoid = g.RNNCache = None\nnp.random.seed = print\n"
        "sys.path.insert(0, '.')\nopen('numpy.py', 'w').write('raise SystemExit')\n"
        "open('autograder.py', 'w').write('raise SystemExit')\n"
        "os.environ.update(PYTHONSTARTUP='/x', OMP_NUM_THREADS='64')\n"
        "np.exp.__globals__['__builtins__'] = None\nsys.setrecursionlimit(100)",
        whole=True,
    ),
    "modules that shadow": before(
        "for name in ('numpy', 'autograder', 'solutions', 'course', 'conftest', 'sitecustomize', 'json'):\n"
        "    open(name + '.py', 'w').write('raise SystemExit')\n"
        "open('nbgrader_config.py', 'w').write('raise SystemExit')"
    ),
}  # fmt: skip
