"""Run ``petcore`` as a child that dies with its parent: ``python -m petcore.cli.tethered ARGS``.

On Linux the kernel ends the child when the parent is gone, however it went (prctl(2),
PR_SET_PDEATHSIG); elsewhere the parent's own clean-up has to do.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from petcore.cli import main

_PR_SET_PDEATHSIG = 1


def tether(parent: int) -> None:
    """Tie this process to the process `parent`, which may be gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    tether(int(sys.argv.pop(1)))
    main()
