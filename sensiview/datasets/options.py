"""How a file of rows and columns is read: what was understood or chosen, as JSON in the data set's card."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sensiview.errors import DataError, UserError, suggestion

ColumnKind = Literal["number", "text", "boolean", "auto"]

# Words that stand for "no value" wherever they are the whole cell.
MISSING = (
    "", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "-nan", "NULL", "null", "None", "<NA>", "#N/A", "#NA",
    "#NV", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!",
)  # fmt: skip
# Words that people also use for it; taken as missing when they are found in a column of numbers.
PERHAPS_MISSING = frozenset(
    (
        "?", "-", "--", "---", ".", "..", "*", "missing", "unknown", "unk", "not available", "not measured", "nil",
        "k.a.", "k. a.", "n.a.", "n. a.", "n.d.", "nd", "(null)", "fehlt", "unbekannt", "(none)",
    )
)  # fmt: skip
WHITESPACE = "whitespace"


class ReadingOptions(BaseModel):
    """Everything that decides what a file's cells mean; the same options on the same file give the same table.

    Parameters
    ----------
    format : str
        ``csv`` (any delimited text), ``parquet`` or ``excel``.
    encoding : str
        Name of the text encoding, as Python knows it.
    delimiter : str
        One character, or ``whitespace`` for columns aligned with any number of blanks.
    quote : str
        The character around fields that contain the delimiter or a line end.
    decimal, thousands : str
        Separators of numbers; `thousands` empty when there is none.
    sheet : str
        Name of the Excel sheet; the first one when empty.
    skip_lines : int
        Lines above the header (titles, comments).
    header : bool
        False when the first line is data already: columns are then named column_1, column_2, ...
    names : tuple of str
        Names to use instead of those in the file; needed only without a header.
    has_index : bool
        The first column only numbers or names the rows; it is not read.
    missing_values : tuple of str
        Cells that mean "no value".
    kinds : mapping
        Kind of the columns that are not plain numbers: ``text``, ``boolean``, or ``auto`` where the first
        values decide. What is not named here is read as numbers.
    left_out : tuple of str
        Columns that are not read at all.
    unreadable : str
        What happens with a cell of a number column that is not a number: ``refuse`` or ``missing``.
    uneven_rows : str
        What happens with rows of another number of fields: ``refuse`` or ``leave_out``.
    rename_duplicates : bool
        Number columns of the same name instead of refusing them: x, x (2).
    target_as : str
        ``classes`` or ``number``; ``auto`` takes text, truth values and few whole numbers as classes.
    understood : tuple of str
        Sentences on how the file was understood, for the import dialog; not kept.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["csv", "parquet", "excel"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1)
    quote: str = Field(default='"', max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: str = Field(default="", max_length=1)
    sheet: str = ""
    skip_lines: int = Field(default=0, ge=0)
    header: bool = True
    names: tuple[str, ...] = ()
    has_index: bool = False
    missing_values: tuple[str, ...] = MISSING
    kinds: Mapping[str, ColumnKind] = Field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    unreadable: Literal["refuse", "missing"] = "refuse"
    uneven_rows: Literal["refuse", "leave_out"] = "refuse"
    rename_duplicates: bool = False
    target_as: Literal["auto", "classes", "number"] = "auto"
    understood: tuple[str, ...] = Field(default=(), exclude=True)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"there is no text encoding '{name}'; utf-8 and cp1252 are the usual ones") from None

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
        delimiter = named.get(delimiter.lower(), delimiter)
        if delimiter != WHITESPACE and (len(delimiter) != 1 or delimiter in '\r\n"' or ord(delimiter) > 127):
            raise ValueError("the delimiter is one character such as , or ; or tab, or 'whitespace'")
        return delimiter

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check options from a dialog, a command line or a card.

        Raises
        ------
        UserError
            An unknown option or a value that can't be.
        """
        for name in values:
            if name not in cls.model_fields:
                raise UserError(f"There is no reading option '{name}'.{suggestion(name, list(cls.model_fields))}")
        return cls._checked(values)

    @classmethod
    def from_card(cls, reading: Mapping[str, Any]) -> Self:
        """Return the options kept in `DatasetCard.reading`; options of a newer version are ignored."""
        return cls._checked(reading)

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            message = str(first["msg"]).removeprefix("Value error, ")
            where = ".".join(str(part) for part in first["loc"][:1])
            raise UserError(f"Reading option {where}: {message}.") from None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values for `DatasetCard.reading`; all of them, so that later defaults change nothing."""
        return self.model_dump(mode="json")

    def with_missing(self, *words: str) -> Self:
        """Return options that take these words as missing values."""
        new = tuple(word for word in dict.fromkeys(words) if word not in self.missing_values)
        return self.model_copy(update={"missing_values": (*self.missing_values, *new)})

    def with_text(self, *columns: str) -> Self:
        """Return options that read these columns as text: they are then not factors."""
        return self.model_copy(update={"kinds": {**self.kinds, **dict.fromkeys(columns, "text")}})

    def without(self, *columns: str) -> Self:
        """Return options that leave these columns out."""
        return self.model_copy(update={"left_out": tuple(dict.fromkeys((*self.left_out, *columns)))})


class CellError(DataError):
    """Text in a number column.

    Parameters
    ----------
    column, place, value : str
        Where the first such cell is, ``line 14`` for instance, and what it holds.
    values : iterable of str
        Distinct texts found in this column near it, for "treat as missing".
    """

    def __init__(self, column: str, place: str, value: str, values: Iterable[str], *, details: str = "") -> None:
        self.column = column
        self.place = place
        self.value = value
        self.values = tuple(values)
        others = len(self.values) - 1
        more = f" (and {others} other text{'s' if others > 1 else ''} like it)" if others > 0 else ""
        super().__init__(
            f"Column '{column}' holds {shortened(value)}{more} in {place}, where a number is expected. Treat it as "
            "missing, read the column as text (it is then not a factor), or correct the file.",
            details=details,
        )


def shortened(value: str, limit: int = 40) -> str:
    """Return a cell's text in quotes, cut where it is long."""
    text = " ".join(value.split())
    return f"'{text if len(text) <= limit else text[: limit - 1] + '…'}'"
