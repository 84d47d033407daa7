"""Attacks that want to read what is not theirs. `{paths}` are the files that hold canaries.

What is found is printed, raised, and put into names: wherever a feedback page could carry it.
"""

from autograder.tests.grading.hostile import Attack

SHOW = """
found = []
def look(make):
    try: found.append(make())
    except BaseException as error: found.append(type(error).__name__)
{looks}
found = str(found)[-15_000:]
print('tried', found)
def softmax(z):
    raise ValueError(found[-400:])
softmax.__code__ = softmax.__code__.replace(co_name=found[-90:])
"""


def spies(*looks: str) -> Attack:
    """Expressions, each of which is tried."""
    lines = "\n".join(f"look(lambda: {look})" for look in looks)
    return Attack({"softmax": SHOW.replace("{looks}", lines)})


ATTACKS = {
    "files by name": spies("[look(lambda: open(p, 'rb').read()) for p in {paths}]"),
    "files by a walk": spies(
        "[(d, f) for d, _, f in __import__('os').walk('/') if 'proc' not in d and 'usr' not in d][-2000:]",
        "[open(p, 'rb').read()[:999] for p in __import__('glob').glob('../**/*', recursive=True)[:50]]",
    ),
    "the environment": spies(
        "dict(__import__('os').environ)",
        "open('/proc/self/environ').read()",
        "__import__('ctypes').cast(__import__('ctypes').c_void_p.in_dll("
        "__import__('ctypes').CDLL(None), 'environ'), __import__('ctypes').POINTER("
        "__import__('ctypes').c_char_p))[:8]",
    ),
    "other processes": spies(
        "[look(lambda: open(f'/proc/{p}/{n}', 'rb').read()) for p in (*range(1, 9), {parents}) "
        "for n in ('environ', 'cmdline', 'maps')]",
        "[open(f'/proc/{__import__(\"os\").getppid()}/root{p}').read() for p in {paths}]",
        "[open(f'/proc/{p}/cwd/secret').read() for p in ('self', {parents})]",
    ),
    "descriptors": spies(
        "[look(lambda: __import__('os').pread(n, 9999, 0)) for n in range(64)]",
        "[look(lambda: __import__('os').readlink(f'/proc/self/fd/{n}')) for n in range(64)]",
        "[look(lambda: __import__('os').open('..', 0, dir_fd=n)) for n in range(64)]",
    ),
    "the checkout": spies(
        "[open(p).read() for p in __import__('glob').glob("
        "__import__('sysconfig').get_path('purelib') + '/*.pth')]",
        "[str(f.read_text()) for f in __import__('importlib.metadata').metadata.files('unrolled')]",
        "open({root!r} + '/solutions/rnn.py').read()",
        "__import__('os').listdir({root!r})",
        "__import__('importlib.util').util.find_spec('solutions').origin",
        "__import__('solutions.rnn').rnn.__doc__",
        "__import__('autograder.exercises.softmax')",
    ),
    "memory": spies(
        "[s for o in __import__('gc').get_objects() if isinstance(o, dict) for s in list(o.values()) "
        "if isinstance(s, (str, bytes)) and ('CANARY' in str(s))]",
        "open('/proc/self/mem', 'rb')",
        "[f.f_locals for f in __import__('sys')._current_frames().values()]",
    ),
    "the user": spies(
        "open('/etc/shadow').read()", "open('/etc/passwd').read()",
        "__import__('os').listdir({home!r})", "__import__('os').listdir('/root')",
        "__import__('pwd').getpwuid(0)",
    ),
}  # fmt: skip
