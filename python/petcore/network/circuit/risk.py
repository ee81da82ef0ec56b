"""RiskModel: a linear model whose weights neither node knows."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from petcore.errors import ConfigError, UsageError
from petcore.mpc import Session
from petcore.network.circuit.features import FEATURE_BITS
from petcore.network.circuit.rows import FEATURES_MAX, Words
from petcore.training import LogisticRegression

_FORMAT = "petcore risk model share 1"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_FILE_BYTES_MAX = 1 << 16
_LOGIT_MAX = 1 << 62
_WORD = 1 << 64


@dataclass(frozen=True, eq=False)
class RiskModel:
    """One node's shares of a logit's weights, uint64, and the public threshold.

    A row passes where ``features @ weights + intercept <= threshold``, exactly, as integers; with
    weights below 2^10, features below 2^6 and `FEATURES_MAX` of them no sum wraps.

    Attributes
    ----------
    version
        Public; goes into the journal with every batch.
    weights
        Shape (k,), times 2^frac_bits.
    intercept
        Shape (), times 2^(frac_bits + FEATURE_BITS).
    threshold
        Public, a logit times 2^(frac_bits + FEATURE_BITS).
    frac_bits
        Fraction bits of the weights.
    pair
        Public: the same number in the shares of both nodes, another in every model.
    """

    version: str
    weights: Words = field(repr=False)
    intercept: Words = field(repr=False)
    threshold: int
    frac_bits: int = 18
    pair: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be; UsageError."""
        if not _VERSION.fullmatch(self.version):
            raise UsageError("a model's version is 1 to 32 of A-Z a-z 0-9 . _ -")
        if self.weights.ndim != 1 or not 1 <= self.weights.size <= FEATURES_MAX:
            raise UsageError(f"a risk model has 1 to {FEATURES_MAX} weights")
        if not -_LOGIT_MAX < self.threshold < _LOGIT_MAX:
            raise UsageError(
                "a threshold is a logit times 2^(frac_bits + FEATURE_BITS), in 62 bits"
            )

    @classmethod
    def of(cls, model: LogisticRegression, *, version: str, threshold: float) -> RiskModel:
        """Keep this party's share of a model that both nodes trained; both call it.

        Parameters
        ----------
        model
            Fitted, on standardised columns.
        version
            What the nodes call it.
        threshold
            The highest chance of 1, between 0 and 1, at which a payment passes.

        Raises
        ------
        UsageError
            The model is not fitted, the version or the threshold cannot be.
        StepMismatch
            The parties say different versions or thresholds.

        Rounds: 1 · Leaks: nothing.
        """
        if not 0 < threshold < 1:
            raise UsageError("threshold is a probability between 0 and 1, such as 0.5")
        if not hasattr(model, "coef_"):
            raise UsageError("this LogisticRegression is not fitted yet; call fit first")
        session, bits = model.session, model.coef_.frac_bits
        limit = round(math.log(threshold / (1 - threshold)) * (1 << bits + FEATURE_BITS))
        weights = session.to_shares(model.coef_).reshape(-1)
        intercept = session.to_shares(model.intercept_).reshape(()) << np.uint64(FEATURE_BITS)
        pair = session.common_words(2, "pair of a risk model").tobytes().hex()
        kept = cls(version, weights, intercept, limit, bits, pair)
        session.agree(f"keeping {kept.name} of {weights.size} columns, up to {limit}")
        return kept

    @property
    def name(self) -> str:
        """Version and pair: what both nodes compare before they use their shares."""
        return f"model {self.version} {self.pair}"

    def check(self, features: Words) -> None:
        """Refuse rows with another number of features; UsageError."""
        k = features.shape[1]
        if self.weights.shape != (k,):
            raise UsageError(
                f"rows have {k} features and model {self.version!r} has {self.weights.size}"
            )

    def margin(self, session: Session, features: Words) -> Words:
        """Return this node's share of threshold - logit per row, shape (n,). Rounds: 1."""
        x = session.from_shares(features[None])
        logit = session.to_shares(x @ session.from_shares(self.weights[None]))[0]
        public = np.uint64(self.threshold % _WORD if session.party == 0 else 0)
        margin: Words = public - self.intercept - logit
        return margin

    def save(self, path: str | Path) -> None:
        """Write the share to a file that its owner alone can read, in one step; ConfigError."""
        file = Path(path)
        values = {
            "format": _FORMAT,
            "version": self.version,
            "pair": self.pair,
            "frac_bits": self.frac_bits,
            "threshold": self.threshold,
            "intercept": int(self.intercept),
            "weights": self.weights.tolist(),
        }
        beside = file.with_name(file.name + ".new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                json.dump(values, stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, file)
        except OSError as error:
            raise ConfigError(f"{file}: cannot be written ({error.strerror})") from error

    @classmethod
    def load(cls, path: str | Path) -> RiskModel:
        """Read a share back; raises ConfigError, naming the file and the remedy."""
        file = Path(path)
        try:
            status = file.stat()
            content = file.read_bytes() if status.st_size <= _FILE_BYTES_MAX else b""
        except OSError as error:
            raise ConfigError(
                f"{file}: cannot be read ({error.strerror}); 'petcore train --keep' makes it"
            ) from error
        if status.st_mode & 0o077:
            raise ConfigError(f"{file}: other users may read this share; run 'chmod 600 {file}'")
        try:
            return cls._from(json.loads(content))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ConfigError(
                f"{file}: is no share of a risk model; 'petcore train --keep' makes them"
            ) from error

    @classmethod
    def _from(cls, values: Any) -> RiskModel:
        if values["format"] != _FORMAT or len(values["weights"]) > FEATURES_MAX:
            raise ValueError
        weights = np.array([_word(v) for v in values["weights"]], np.uint64)
        intercept = np.array(_word(values["intercept"]), np.uint64)
        bits, pair, version = values["frac_bits"], values["pair"], values["version"]
        if not (isinstance(bits, int) and 0 < bits < 32 and re.fullmatch(r"[0-9a-f]{32}", pair)):
            raise ValueError
        return cls(version, weights, intercept, int(values["threshold"]), bits, pair)


def _word(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < _WORD:
        raise ValueError
    return value
