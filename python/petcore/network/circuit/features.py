"""FeatureScale: how an owner of features turns them into the integers that a risk model takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petcore.errors import ConfigError, UsageError
from petcore.training.preprocessing import Standardizer

FEATURE_BITS = 12
"""Fraction bits of a feature as edges and nodes share it."""

FEATURE_MAX = 64
"""Standardised features are clipped to +-64 deviations, so that no sum of a logit wraps."""

_FORMAT = "petcore feature scale 1"


@dataclass(frozen=True, eq=False)
class FeatureScale:
    """Means and deviations of one owner's columns, from the rows that a model was trained on.

    Its owner's, in clear: it tells the average customer. ``names`` are the columns in the order in
    which the model takes them.
    """

    names: tuple[str, ...]
    scale: Standardizer

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Standardise rows, shape (n, columns), and give int64 times 2^FEATURE_BITS.

        Raises
        ------
        UsageError
            Another number of columns, NaN or infinity.
        """
        near = np.clip(self.scale.transform(values), -FEATURE_MAX, FEATURE_MAX)
        return np.rint(near * (1 << FEATURE_BITS)).astype(np.int64)

    def save(self, path: str | Path) -> None:
        """Write it as JSON; ConfigError where that fails."""
        values = {
            "format": _FORMAT,
            "names": list(self.names),
            "mean": self.scale.mean.tolist(),
            "deviation": self.scale.scale.tolist(),
        }
        try:
            Path(path).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error

    @classmethod
    def load(cls, path: str | Path) -> FeatureScale:
        """Read it back; raises ConfigError, naming the file."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            names = tuple(map(str, values["names"]))
            mean, deviation = (np.array(values[k], np.float64) for k in ("mean", "deviation"))
            good = values["format"] == _FORMAT and mean.shape == deviation.shape == (len(names),)
            if not (good and np.isfinite(mean).all() and (deviation > 0).all()):
                raise ValueError
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(
                f"{path}: is no scale of features; 'petcore train --keep' makes it"
            ) from error
        return cls(names, Standardizer(mean, deviation))

    def __post_init__(self) -> None:
        """Refuse names and columns that do not fit together; UsageError."""
        if self.scale.mean.shape != (len(self.names),):
            raise UsageError(
                f"there are {len(self.names)} names and {self.scale.mean.size} columns"
            )
