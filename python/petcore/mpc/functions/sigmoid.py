"""sigmoid and tanh: a sine series within thresholds, a limit beyond them.

A dealer deals the sines and cosines of a mask; once the masked angle is public, every harmonic is
linear in them (Zheng et al., ACSAC 2023). tanh(x) = 2 sigmoid(2 x) - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from petcore.mpc.functions.words import elementwise

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


def sigmoid(x: SharedArray) -> SharedArray:
    """Give 1 / (1 + e^-x) element by element.

    Domain: every x below 2^(59 - frac_bits) in magnitude; the limits are exactly 0 and 1.
    Error: at most 2e-4 + 2^(1 - frac_bits); the value may leave [0, 1] by as much.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 5 · Bytes: 18 an element and 118 from the dealer (6 and 112 above 2^13) · Uses: waves with
    a digit table, ANDs, a half select, a cross bit · Adversary: that of the session · Leaks:
    nothing.
    """
    return elementwise(x, "sigmoid")


def tanh(x: SharedArray) -> SharedArray:
    """Give the hyperbolic tangent element by element.

    Domain: every x below 2^(59 - frac_bits) in magnitude; the limits are exactly -1 and 1.
    Error: at most 4e-4 + 2^(1 - frac_bits); the value may leave [-1, 1] by as much.

    Parameters
    ----------
    x : SharedArray
        fixed, 16 to 24 fraction bits, any shape.

    Raises
    ------
    UsageError
        For other dtypes and scales.

    Rounds: 5 · Bytes: 18 an element and 123 from the dealer · Uses: as `sigmoid` · Adversary:
    that of the session · Leaks: nothing.
    """
    return elementwise(x, "tanh")
