"""An ordinary Jupyter kernel that locks itself up before it starts."""

import json
import sys

from autograder.grading.sandbox.hardening import Limits, lock


def main() -> None:
    """Run ipykernel, locked up as the first argument says (JSON)."""
    order = json.loads(sys.argv.pop(1))
    limits = Limits(**order["limits"])
    lock(limits, order["readable"], writable=order["folder"], sockets=order["sockets"])
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
