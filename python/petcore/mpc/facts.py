"""What the compiled core says about itself and the processor under it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from petcore import _core


@dataclass(frozen=True)
class Facts:
    """Features as the system lets us use them, and the CPU target that each kernel takes."""

    processor: str
    features: Mapping[str, bool]
    usable: Mapping[str, Sequence[str]]
    chosen: Mapping[str, str]
    forced: str
    openssl: str
    cryptography_openssl: str


def facts() -> Facts:
    """Collect them; raises UsageError where PETCORE_TARGET names what cannot run here."""
    from cryptography.hazmat.backends.openssl.backend import backend

    return Facts(
        processor=_processor(),
        features=_core.kernels.cpu(),
        usable=_core.kernels.targets(),
        chosen=_core.kernels.chosen_targets(),
        forced=os.environ.get("PETCORE_TARGET", ""),
        openssl=_core.openssl_version(),
        cryptography_openssl=backend.openssl_version_text(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
