"""``sensiview`` and ``python -m sensiview``."""

from __future__ import annotations

import sys
from multiprocessing import freeze_support


def main() -> int:
    """Start the worker, a command or the window; returns the exit code."""
    freeze_support()  # first: a frozen program starts itself again for its workers
    from sensiview import assembly, locations

    locations.name_a_home()
    if sys.argv[1:2] == ["--worker"]:
        return assembly.run_worker()
    return assembly.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
