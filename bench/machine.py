"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from petcore import _core


def machine() -> dict[str, Any]:
    """Everything that a figure depends on besides the code."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "features": [name for name, present in _core.kernels.cpu().items() if present],
        "targets": _core.kernels.chosen_targets(),
        "forced": os.environ.get("PETCORE_TARGET", ""),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "petcore": installed_version(),
        "load": os.getloadavg()[0],
    }


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def installed_version() -> str:
    try:
        return version("petcore")
    except PackageNotFoundError:
        return "from a build folder"
