"""MaskedMatrix: a matrix masked and opened once, then multiplied often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from petcore.errors import UsageError
from petcore.mpc.arithmetic import scaled_product
from petcore.mpc.conversion import bit_to_int
from petcore.mpc.operands import require_shared, same_session
from petcore.mpc.products import product_shape
from petcore.mpc.shared_base import flat

if TYPE_CHECKING:
    from petcore.mpc.shared_array import SharedArray


class MaskedMatrix:
    """A shared matrix whose masked form all parties hold; made by `Session.mask`.

    ``masked @ w`` and ``masked.T @ r`` then send only the other operand: 8 k n bytes per party
    instead of 8 (m k + k n). ``masked[i:j]`` takes a batch of rows. Later writes to the original
    array do not reach the masked one.

    Source: SecureML (Mohassel, Zhang, S&P 2017), section IV. Adversary: semi-honest.
    Leaks: nothing; the mask is used for this matrix only.
    """

    def __init__(
        self,
        source: SharedArray,
        handle: Any,
        rows: tuple[int, int] | None = None,
        transposed: bool = False,
    ) -> None:
        self._source = source
        self._handle = handle
        self._rows = (0, source.shape[0]) if rows is None else rows
        self._transposed = transposed

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, of the transpose where this is one."""
        rows, columns = self._rows[1] - self._rows[0], self._source.shape[1]
        return (columns, rows) if self._transposed else (rows, columns)

    @property
    def T(self) -> MaskedMatrix:  # noqa: N802
        """The transpose."""
        return MaskedMatrix(self._source, self._handle, self._rows, not self._transposed)

    def __len__(self) -> int:
        """Count the rows."""
        return self.shape[0]

    def __repr__(self) -> str:
        """Show shape and dtype; never a share."""
        return f"MaskedMatrix(shape={self.shape}, dtype={self._source.dtype})"

    def __getitem__(self, rows: object) -> MaskedMatrix:
        """Take a batch of rows, without copying."""
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            raise UsageError("a MaskedMatrix takes slices of rows, as in masked[100:200]")
        if self._transposed:
            raise UsageError("slice the rows before transposing: masked[i:j].T")
        begin, end, _ = rows.indices(len(self))
        first = self._rows[0] + begin
        return MaskedMatrix(self._source, self._handle, (first, max(first, self._rows[0] + end)))

    def __matmul__(self, other: Any) -> SharedArray:
        """Multiply by a shared vector or matrix. Rounds: 1, and a truncation's for reals."""
        y = require_shared(other, "the right operand of masked @ y")
        x = self._source
        session = same_session(x, y)
        _, _, n, shape = product_shape(self.shape, y.shape)
        y = bit_to_int(y) if y.dtype == "bool" else y
        core, share = session._core, flat(y._share)
        return scaled_product(
            x,
            y,
            shape,
            None,
            lambda bits: core.masked_matmul(
                self._handle, share, n, *self._rows, self._transposed, bits
            ),
        )


def mask(x: Any) -> MaskedMatrix:
    """Mask a shared matrix once; see `Session.mask`."""
    x = require_shared(x, "what is masked")
    if x.ndim != 2:
        raise UsageError(f"mask takes a matrix, not shape {x.shape}; reshape it to two dimensions")
    if x.dtype == "bool":
        x = bit_to_int(x)
    rows, columns = x.shape
    handle = x.session._core.mask(flat(x._share), rows, columns)
    return MaskedMatrix(x._with(x._share[:, :, :]), handle)
