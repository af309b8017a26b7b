"""Parquet files: typed columns, row group by row group."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sensiview.datasets.options import ColumnKind, ReadingOptions
from sensiview.datasets.source import Batch, Columns, name_columns
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_CELLS_PER_BATCH = 2_000_000


class ParquetSource:
    """A Parquet file, in chunks. `nested` names the columns that hold lists, records or raw bytes: they are not read.

    Raises
    ------
    DataError
        The file is damaged, has no rows, or no column of plain values.
    """

    def __init__(self, path: Path, options: ReadingOptions) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self.empty_rows = 0
        self.uneven_rows = 0
        self._path = path
        try:
            # Not memory-mapped: a file that shrinks on a network folder would end the program.
            with parquet.ParquetFile(path) as file:
                self.schema = file.schema_arrow
                self.expected_rows = int(file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None
        fields = list(self.schema)
        self.nested = [field.name for field in fields if not _is_plain(field.type)]
        index = [field.name for field in fields if field.name.startswith("__index_level_")]
        if not self.expected_rows:
            raise DataError(f"{path} has columns but no rows. Export the table again, with its rows.")
        if len(self.nested) + len(index) == len(fields):
            raise DataError(f"{path} has no column of plain numbers or texts. Choose another file.")
        named = name_columns([field.name for field in fields], len(fields), options, path)
        self.columns = Columns(named.names, named.unnamed, frozenset((*self.nested, *index)))

    def kinds(self) -> dict[str, ColumnKind]:
        """Return the kinds of the columns that are not plain numbers, from the file's own types."""
        import pyarrow as pa

        found: dict[str, ColumnKind] = {}
        for name, field in zip(self.columns.names, self.schema, strict=True):
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            if name in self.columns.unread or number:
                continue
            found[name] = "boolean" if pa.types.is_boolean(kind) else "auto" if pa.types.is_null(kind) else "text"
        return found

    def batches(self, wanted: list[int]) -> Generator[Batch, None, None]:
        """Yield all rows of the wanted columns in the file's own types.

        Raises
        ------
        DataError
            The file is damaged.
        """
        import pyarrow as pa
        from pyarrow import parquet

        per_batch = max(1024, _CELLS_PER_BATCH // len(wanted))
        done = 0
        try:
            with parquet.ParquetFile(self._path) as file:
                names = [self.schema.field(i).name for i in wanted]
                for chunk in file.iter_batches(batch_size=per_batch, columns=names):
                    by_name = dict(zip(chunk.schema.names, cast("list[pa.Array]", chunk.columns), strict=True))
                    first = done
                    done += chunk.num_rows
                    yield Batch(
                        [by_name[name] for name in names],
                        lambda row, first=first: f"row {first + row:,}",  # type: ignore[misc]  # a default keeps this round's value
                        done / self.expected_rows,
                    )
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self._path, error) from None


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return not (types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind)) and not (
        types.is_fixed_size_binary(kind) or types.is_binary_view(kind)
    )


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is damaged: it ends early or can't be decoded. Copy or export it again.", details=str(error)
    )
