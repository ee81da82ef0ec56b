"""Parquet tables in files and in sealed envelopes: read with bounds, and only the columns declared."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from petcore.errors import ConfigError, UsageError
from petcore.payments import sealed_file
from petcore.payments.money import MAX_PAYMENTS, minor_digits
from petcore.payments.sealing import RECIPIENT, SealingKey, seal, write_private

SHARES = "bulk payment shares"
RESULTS = "bulk payment results"
ROUTE = ("payment", "mpp", "acqp", "currency")
ACQUIRER = ("amount", "fee")
WALLET = ("seen", "debit", "available", "count_left", "sum_left")
PAYER = "payer_currency"

FEATURE = "feature_"
"""Columns of either side that begin so are for the risk model, in the order of the file."""

ID_LENGTH_MAX = 64
_BYTES_PER_ROW = 4096


def read_table(source: str | Path | bytes, where: str) -> pa.Table:
    """Read a parquet file, or one in memory; raises ConfigError, naming `where`."""
    try:
        file = pq.ParquetFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        meta = file.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if not 0 < meta.num_rows <= MAX_PAYMENTS or size > _BYTES_PER_ROW * (meta.num_rows + 1024):
            raise ConfigError(
                f"{where}: has {meta.num_rows:,} rows; 1 to {MAX_PAYMENTS:,} go at once"
            )
        return file.read().combine_chunks()
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read ({error.strerror or error})") from error
    except (pa.ArrowException, ValueError) as error:
        raise ConfigError(f"{where}: is no parquet file that can be read") from error


def text(table: pa.Table, name: str, where: str) -> pa.Array:
    """Return a column of text without gaps; raises ConfigError."""
    column = _column(table, name, where)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise ConfigError(f"{where}: column {name} holds {column.type}, not text")
    return column.cast(pa.string())


def whole(table: pa.Table, name: str, where: str, low: int, high: int) -> npt.NDArray[np.int64]:
    """Return a column of whole numbers within bounds; raises ConfigError, naming a row."""
    column = _column(table, name, where)
    if not pa.types.is_integer(column.type):
        raise ConfigError(f"{where}: column {name} holds {column.type}, not whole numbers")
    values = column.to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero((values < low) | (values > high))
    if wrong.size:
        raise ConfigError(f"{where}: row {wrong[0] + 1}: {name} must be from {low} to {high}")
    numbers: npt.NDArray[np.int64] = values.astype(np.int64)
    return numbers


def words(table: pa.Table, name: str, where: str) -> npt.NDArray[np.uint64]:
    """Return a column of shares; raises ConfigError."""
    column = _column(table, name, where)
    if column.type != pa.uint64():
        raise ConfigError(f"{where}: column {name} holds {column.type}, not shares")
    shares: npt.NDArray[np.uint64] = column.to_numpy(zero_copy_only=False)
    return shares


def features(table: pa.Table) -> list[str]:
    """Return the names of the columns for the risk model."""
    return [name for name in table.column_names if name.startswith(FEATURE)]


def routes(table: pa.Table, names: Sequence[str], where: str) -> pa.Table:
    """Return the public columns, checked: ids of 1 to 64 printable characters, names, currencies."""
    ids = text(table, "payment", where)
    lengths = pc.min_max(pc.binary_length(ids))
    printable = pc.all(pc.utf8_is_printable(ids)).as_py()
    if not printable or lengths["min"].as_py() < 1 or lengths["max"].as_py() > ID_LENGTH_MAX:
        raise ConfigError(f"{where}: payment ids are 1 to {ID_LENGTH_MAX} printable characters")
    columns = {"payment": ids, **{name: text(table, name, where) for name in names[1:]}}
    for name in names[1:]:
        for value in pc.unique(columns[name]).to_pylist():
            _check_value(name, value, where)
    return pa.table(columns)


def pack(header: Mapping[str, Any], table: pa.Table) -> bytes:
    """Put a header and a table into one message."""
    sink = pa.BufferOutputStream()
    words_of = [f.name for f in table.schema if f.type == pa.uint64()]
    others = [f.name for f in table.schema if f.name not in words_of]
    # Shares are random: they neither compress nor repeat.
    compression = {name: "none" if name in words_of else "lz4" for name in table.schema.names}
    pq.write_table(table, sink, compression=compression, use_dictionary=others[1:] or False)
    return sealed_file.pack(header, sink.getvalue().to_pybytes())


def unpack(path: str | Path, key: SealingKey, kind: str) -> tuple[dict[str, Any], pa.Table]:
    """Open a sealed message; raises ConfigError, naming the file."""
    header, content = sealed_file.unpack(path, key, kind)
    return header, read_table(content, str(path))


def write_sealed(
    path: Path, header: Mapping[str, Any], table: pa.Table, public: bytes, recipient: str
) -> None:
    """Seal a message to one reader and write it to a new file; the header says of which kind."""
    write_private(path, seal(pack(header, table), public, recipient, str(header["kind"])))


def _column(table: pa.Table, name: str, where: str) -> pa.Array:
    if name not in table.column_names:
        raise ConfigError(f"{where}: has no column {name!r}")
    column = table.column(name).combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if column.null_count:
        raise ConfigError(f"{where}: column {name} has gaps; every payment needs a value")
    return column


def _check_value(name: str, value: str, where: str) -> None:
    if name in ("mpp", "acqp"):
        if not RECIPIENT.fullmatch(value):
            raise ConfigError(
                f"{where}: {name} {value[:64]!r} must be 1 to 63 of A-Z a-z 0-9 . _ - and start "
                "with a letter or digit"
            )
        return
    try:
        minor_digits(value)
    except UsageError as error:
        raise ConfigError(f"{where}: {error}") from None
