"""`unrolled doctor`: what this machine has for running code that is not trusted."""

import argparse
import json
from typing import Any

SUMMARY = {
    "full": "Submissions are run at tier full: namespaces, Landlock, seccomp and limits.",
    "landlock": "Submissions are run at tier landlock: Landlock, seccomp and limits. It holds; "
    "tier full puts a second wall around it.",
    "none": "Submissions are not run here, unless you trust them: --trust-submissions.",
}


def add_command(commands: Any) -> None:
    """Add `doctor` to a parser."""
    doctor = commands.add_parser("doctor", help="try out the sandbox for submissions")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.add_argument(
        "--install-kernel",
        action="store_true",
        help="add a kernel to Jupyter that is sandboxed",
    )
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Print each finding, and the tier that grading will use; fails if there is none."""
    from autograder.grading.sandbox import tiers

    if options.install_kernel:
        from autograder.grading.sandbox.provisioner import NAME, install

        print(f"The kernel {NAME} is in {install()}")
        print(f"Use it by: nbgrader autograde ASSIGNMENT --Execute.kernel_name={NAME}")
        return 0
    found, tier = tiers.probe(), tiers.best()
    if options.json:
        findings = [finding._asdict() for finding in found]
        print(json.dumps({"tier": tier, "findings": findings}, indent=1))
        return int(tier == "none")
    for finding in found:
        print(f"{'✓' if finding.works else '✗'} {finding.name}: {finding.said}")
        if finding.remedy:
            print("  " + finding.remedy.replace("\n", "\n  "))
    print(SUMMARY[tier])
    return int(tier == "none")
