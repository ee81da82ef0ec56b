"""The credit-default table, packaged with its attribution."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

ID_COLUMN = "ID"
LABEL_COLUMN = "DEFAULT_NEXT_MONTH"


@dataclass(frozen=True, eq=False)
class CreditDefault:
    """30,000 credit-card customers and whether each defaulted in the next month.

    The arrays are read-only; amounts are New Taiwan dollars.

    Attributes
    ----------
    data
        int64, shape (30000, 23), one column per name in `feature_names`.
    target
        int64, shape (30000,), 1 for a default.
    ids
        int64, shape (30000,), the customers both parties know by the same number.
    feature_names
        The 23 columns of `data`.
    target_name
        Name of the label's column.
    gateway_columns
        What a payment gateway sees: bills and payments.
    wallet_columns
        What the customer's wallet knows: limit, person, delays.
    DESCR
        Source, licence and meaning of the columns.
    """

    data: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    feature_names: tuple[str, ...]
    target_name: str
    gateway_columns: tuple[str, ...]
    wallet_columns: tuple[str, ...]
    DESCR: str

    def columns(self, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return the columns `names`, int64 of shape (30000, len(names)), in that order.

        Raises
        ------
        KeyError
            A name is not among `feature_names`.
        """
        unknown = [name for name in names if name not in self.feature_names]
        if unknown:
            raise KeyError(
                f"no column {unknown[0]!r}; the table has {', '.join(self.feature_names)}"
            )
        return self.data[:, [self.feature_names.index(name) for name in names]]

    def __repr__(self) -> str:
        rows, features = self.data.shape
        return f"CreditDefault({rows} customers, {features} features, target {self.target_name!r})"


def load_credit_default() -> CreditDefault:
    """Load the credit-default table (I-Cheng Yeh, UCI, DOI 10.24432/C55S3H, CC BY 4.0).

    Examples
    --------
    >>> from petcore.datasets import load_credit_default
    >>> load_credit_default()
    CreditDefault(30000 customers, 23 features, target 'DEFAULT_NEXT_MONTH')
    """
    folder = resources.files("petcore.datasets")
    text = gzip.decompress((folder / "credit_default.csv.gz").read_bytes()).decode("ascii")
    header, _, body = text.replace("\r", "").partition("\n")
    names = tuple(header.strip().split(","))
    width = len(names)
    table = np.array(body.replace("\n", ",").rstrip(",").split(","), dtype=np.int64)
    table = table.reshape(-1, width)
    features = tuple(name for name in names if name not in (ID_COLUMN, LABEL_COLUMN))
    gateway = tuple(n for n in features if n.startswith(("BILL_AMT", "PAY_AMT")))
    return CreditDefault(
        data=_frozen(table[:, [names.index(name) for name in features]]),
        target=_frozen(table[:, names.index(LABEL_COLUMN)]),
        ids=_frozen(table[:, names.index(ID_COLUMN)]),
        feature_names=features,
        target_name=LABEL_COLUMN,
        gateway_columns=gateway,
        wallet_columns=tuple(name for name in features if name not in gateway),
        DESCR=(folder / "credit_default.md").read_text(encoding="utf-8"),
    )


def _frozen(array: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
