"""How commands answer: sentences and aligned tables for people, one JSON object for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import Curve, IndexTable, Item, Matrix, Note

if TYPE_CHECKING:
    import pandas as pd


def say(text: str = "") -> None:
    """Print a line on stdout; what its encoding does not have is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def complain(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def say_json(value: Any) -> None:
    """Print one JSON object on stdout; NaN and infinity become null, which every reader accepts."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(_plain(value), allow_nan=False)
    print(text)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str | int | float | bool) and getattr(value, "ndim", 1) == 0:
        return _plain(value.item())
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as an aligned text table; numbers are right-aligned."""
    if not rows:
        return "(none)"
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    numeric = [all(isinstance(row.get(c), int | float) or row.get(c) is None for row in rows) for c in columns]
    widths = [max(len(c), *(len(line[i]) for line in cells)) for i, c in enumerate(columns)]

    def line(values: Sequence[str]) -> str:
        parts = [v.rjust(w) if right else v.ljust(w) for v, w, right in zip(values, widths, numeric, strict=True)]
        return "  ".join(parts).rstrip()

    return "\n".join([line(columns), line(["-" * w for w in widths]), *(line(c) for c in cells)])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}" if abs(value) >= 1e4 else f"{value:.4f}"
    return str(value)


def frame_text(frame: pd.DataFrame, limit: int = 60) -> str:
    """Return a frame as an aligned text table, cut at `limit` rows with a line that says so."""
    rows: list[Mapping[str, Any]] = [
        {str(k): v for k, v in row.items()} for row in frame.head(limit).to_dict(orient="records")
    ]
    text = table(rows, [str(c) for c in frame.columns])
    return text if len(frame) <= limit else f"{text}\n... {len(frame) - limit} more rows; export to see them all"


def _thinned(curve: Curve, points: int = 6) -> pd.DataFrame:
    """Return a curve's frame at a few places along its axis, the first and the last among them."""
    places = sorted(curve.frame[curve.x].unique())
    step = (len(places) - 1) / max(1, points - 1)
    kept = {places[round(i * step)] for i in range(points)} if len(places) > points else set(places)
    return curve.frame[curve.frame[curve.x].isin(kept)]


def item_text(name: str, item: Item) -> str:
    """Return an item as text: tables in full, arrays as their shape."""
    heading = f"{name}: {item.title}"
    if isinstance(item, IndexTable):
        lines = [heading, frame_text(item.frame)]
        lines += [f"  {remark.sentence}" for remark in item.remarks[:12]]
        return "\n".join(lines)
    if isinstance(item, Curve):
        return f"{heading}\n{frame_text(_thinned(item))}"
    if isinstance(item, Matrix):
        frame = item.to_frame()
        # Counts are whole.
        counts = bool((item.values % 1 == 0).all())
        return f"{heading}\n{frame_text((frame.astype(int) if counts else frame).reset_index())}"
    if isinstance(item, Note):
        return f"{heading}\n{item.text}"
    shape = getattr(getattr(item, "values", None), "shape", ())
    return f"{heading}\n  array {' x '.join(map(str, shape))}"
