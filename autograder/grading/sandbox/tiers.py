"""What this machine can lock up: found by trying, not by asking."""

import json
import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from autograder.grading.errors import ClassError
from autograder.grading.process import SandboxLost, Tier
from autograder.grading.sandbox import bubblewrap, landlock, syscalls
from autograder.grading.sandbox.forks import Forks
from autograder.grading.sandbox.hardening import Limits

FORCED = "UNROLLED_TIER"
"""A variable of the environment: a lower tier than the best, for tests."""

CONTAINER = (
    "grade in Linux: in WSL 2 on Windows, in a container or a virtual machine on macOS. "
    "The landlock tier works in Docker as it comes"
)
UBUNTU = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
PROFILE = """\
Ubuntu lets only programs with an AppArmor profile make user namespaces. As root, write into
/etc/apparmor.d/bwrap, and load it by: apparmor_parser -r /etc/apparmor.d/bwrap
    abi <abi/4.0>,
    include <tunables/global>
    profile bwrap /usr/bin/bwrap flags=(unconfined) {
      userns,
    }"""


class Finding(NamedTuple):
    """One thing that was tried."""

    name: str
    works: bool
    said: str
    remedy: str = ""


@cache
def probe() -> tuple[Finding, ...]:
    """Try all that a tier stands on. Once per process: it takes a moment."""
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if not syscalls.supported():
        remedy = CONTAINER if platform.system() != "Linux" else "use x86_64 or aarch64"
        return (Finding("system", False, system, remedy),)
    version, program = landlock.abi(), bubblewrap.program()
    found = [
        Finding("system", True, system),
        Finding("Landlock", version > 0, f"version {version}", _LANDLOCK if not version else ""),
        Finding(
            "bubblewrap", program is not None, program or "not installed",
            "" if program else "install it: apt install bubblewrap, or dnf install bubblewrap",
        ),
    ]  # fmt: skip
    if version:
        found.append(_tried(Tier.LANDLOCK))
    if version and program:
        found.append(_tried(Tier.FULL))
    return tuple(found)


_LANDLOCK = "it needs Linux 5.13 or later with landlock in /sys/kernel/security/lsm"


def _tried(tier: Tier) -> Finding:
    """Start a process of this tier that tries to get out."""
    name = f"tier {tier}"
    try:
        with Forks(tier, errand="attempt") as forks:
            fork = forks.spawn(Limits())
            fork.channel.settimeout(10)
            got = json.loads(fork.channel.recv(1 << 12) or b'["die"]')
            fork.end()
    except (SandboxLost, OSError) as error:
        return Finding(name, False, str(error), _remedy(tier))
    if got:
        return Finding(name, False, f"a locked-up process could {', '.join(got)}", "report this")
    return Finding(name, True, "a process in there tried to get out, and could not")


def _remedy(tier: Tier) -> str:
    if tier is Tier.LANDLOCK:
        return _LANDLOCK
    with suppress(OSError):
        if UBUNTU.read_text().strip() != "0":
            return PROFILE
    return (
        "user namespaces are refused here, as in most containers: sysctl user.max_user_namespaces, "
        "or docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    )


def best() -> Tier:
    """The best tier that works here, or the lower one that the environment names.

    Raises
    ------
    ValueError
        The environment names no tier.
    """
    works = {finding.name for finding in probe() if finding.works}
    order = list(Tier)
    lowest = order.index(Tier(os.environ.get(FORCED) or Tier.FULL))
    return next(t for t in order[lowest:] if t is Tier.NONE or f"tier {t}" in works)


def require(trust: bool) -> Tier:
    """The best tier.

    Parameters
    ----------
    trust : bool
        Whether the submissions may be run without any sandbox.

    Raises
    ------
    ClassError
        There is no sandbox, and no trust.
    """
    tier = best()
    if tier is Tier.NONE and not (trust and os.name == "posix"):
        raise ClassError(
            "no sandbox works on this machine, so a submission could read and change whatever you "
            "can; see `unrolled doctor` for what is missing. If you trust every one of these "
            "submissions, add --trust-submissions."
        )
    return tier
