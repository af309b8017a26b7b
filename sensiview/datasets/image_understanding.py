"""What lies in files and folders of images, before it is added to a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.cohort_targets import rows_of
from sensiview.datasets.describing import listed
from sensiview.datasets.image_array_labels import rows_of_arrays
from sensiview.datasets.image_card import make_image_card, own_columns, with_likely_target
from sensiview.datasets.image_dicom import patient_of
from sensiview.datasets.image_folders import from_folders
from sensiview.datasets.image_kinds import ImageFile
from sensiview.datasets.image_plan import Planned, plan
from sensiview.datasets.image_reading import extent, file_header, not_finite, numbers_of, range_of_numbers
from sensiview.datasets.image_rows import FRAMES_OF_VIDEO, ImageRow, name_rows, rows_of_file
from sensiview.datasets.image_search import find_images
from sensiview.datasets.image_tables import GROUP_WORDS, ImageTable, column_called, likely_target
from sensiview.datasets.image_targets import with_target
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_TOLD_EVERY = 20
# Shares of the bar: looking for files, reading headers, reading the numbers of those with more than 8 bits.
_HEADERS = 0.8
_MOST_LOST = 20


@dataclass(frozen=True, eq=False)
class FoundSet:
    """What was understood, before it is added to a project.

    Parameters
    ----------
    card : DatasetCard
        ``kind`` images.
    files : tuple of Path
        In the order in which the project stores them: image files, then files of labels.
    reports : tuple of FileFinding
        What was found; files of severity ``error`` were left out.
    table : DataFrame
        One row per image, columns as in the card.
    """

    card: DatasetCard
    files: tuple[Path, ...]
    reports: tuple[FileFinding, ...]
    table: pd.DataFrame

    @property
    def findings(self) -> list[str]:
        """All sentences, each once: what was left out first."""
        lost = [report.sentence for report in self.reports if report.severity == "error"]
        return list(dict.fromkeys([*_shortened(lost), *self.card.notes]))


def understand_images(
    paths: Sequence[Path],
    *,
    name: str,
    target: str | None = None,
    labels: Path | None = None,
    frames: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> FoundSet:
    """Find out what lies in files and folders.

    Parameters
    ----------
    paths : sequence of Path
        Folders (a class per folder, a split per folder, or flat), pictures, DICOM, videos, NumPy arrays, MNIST's and
        CIFAR's files, or a table of paths and labels.
    name : str
        Of the data set.
    target : str, optional
        The column of the classes; without it the column that is called class, label or the like.
    labels : Path, optional
        A table with a row per image; one that lies in the folder is found by itself.
    frames : int, optional
        The most frames of one file; without it all, of videos ten.
    on_progress : callable, optional
        Called with the share that is done; what it raises ends the reading.

    Raises
    ------
    DataError
        There is no image, or none can be read; the sentence says why the first could not.
    """
    if frames is not None and frames < 1:
        raise DataError("At least one frame of each file is needed.")
    tell = on_progress or (lambda share: None)
    found = find_images(paths, lambda count: tell(0.0) if count % 500 == 0 else None)
    said = list(found.findings)
    arrays = rows_of_arrays(found, frames, said)
    planned, table = plan(found, labels, said)
    rows = [*arrays.rows, *_read_headers(planned, frames, said, lambda share: tell(_HEADERS * share))]
    if not arrays.rows and (empty := from_folders(rows, found.empty_folders, said)):
        what = "The class folder {} has" if len(empty) == 1 else "The class folders {} have"
        said.append(FileFinding(None, f"{what.format(listed(empty, 8))} no image, so it is no class.", "warning"))
    rows, ranges = _ranges(rows, said, lambda share: tell(_HEADERS + (1 - _HEADERS) * share))
    if not rows:
        raise _none_left(said)
    name_rows(rows)
    if table is not None:
        _prefer_table(rows, table)
    frame = _frame(rows, table)
    _group(rows, frame)
    files = [row.path for row in rows] + list(arrays.label_files) + ([table.table.path] if table is not None else [])
    files = list(dict.fromkeys(files))
    card = make_image_card(
        name,
        rows,
        files,
        table=frame,
        from_file=table,
        ranges=ranges,
        class_order=arrays.class_names,
        notes=[report.sentence for report in said if report.severity != "error"],
    )
    card = with_target(card, frame, target) if target is not None else with_likely_target(card, frame)
    tell(1.0)
    return FoundSet(card, tuple(files), tuple(said), frame)


def _read_headers(
    planned: Sequence[Planned], frames: int | None, said: list[FileFinding], tell: Callable[[float], None]
) -> list[ImageRow]:
    """Return the images of picture, DICOM and video files; those that can't be read become findings."""
    rows: list[ImageRow] = []
    videos = 0
    read: dict[Path, ImageFile | None] = {}
    for number, one in enumerate(planned):
        if number % _TOLD_EVERY == 0:
            tell(number / len(planned))
        if one.path not in read:
            try:
                _check_name(one.path)
                read[one.path] = file_header(one.path, one.kind)
            except (DataError, OSError) as error:
                read[one.path] = None
                said.append(FileFinding(one.path, _sentence(error, one.path), "error"))
        file = read[one.path]
        if file is None:
            continue
        if one.frame is not None and one.frame >= file.count:
            said.append(FileFinding(one.path, f"{one.path} has no frame {one.frame}: it has {file.count}.", "error"))
            continue
        found = rows_of_file(one.path, one.root, file, frames)
        if one.frame is not None:
            found = iter([ImageRow(one.path, one.root, file, one.frame)])
        for row in found:
            row.table_row = one.table_row
            if file.count > 1:
                row.group = (patient_of(one.path) if file.kind == "dicom" else "") or one.path.name
            elif file.kind == "dicom":
                row.group = patient_of(one.path)
            rows.append(row)
        videos += file.kind == "video" and one.frame is None and frames is None and file.count > FRAMES_OF_VIDEO
    if videos:
        said.append(
            FileFinding(
                None,
                f"{FRAMES_OF_VIDEO} evenly spaced frames of each video are taken; more frames are nearly alike. Frames "
                "of one video count as one group.",
            )
        )
    return rows


def _check_name(path: Path) -> None:
    """Refuse a name that no project can keep."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = path.name.encode(errors="replace").decode()
        raise DataError(f"The name of the file '{shown}' is not valid text. Rename the file first.") from None


def _sentence(error: Exception, path: Path) -> str:
    if isinstance(error, DataError):
        return error.sentence
    return f"{path} can't be read ({getattr(error, 'strerror', None) or error})."


def _ranges(
    rows: list[ImageRow], said: list[FileFinding], tell: Callable[[float], None]
) -> tuple[list[ImageRow], dict[str, tuple[float, float]]]:
    """Return black and white of all numbers that are not of 8 bits; whoever can't be read is left out."""
    deep = [row for row in rows if row.file.depth not in ("uint8", "unit")]
    found: dict[str, list[tuple[float, float]]] = {}
    lost: set[int] = set()
    odd: list[str] = []
    for number, row in enumerate(deep):
        if number % _TOLD_EVERY == 0:
            tell(number / len(deep))
        try:
            numbers = numbers_of(row.path, row.file.kind, row.file.depth, row.frame, row.file.member)
        except DataError as error:
            lost.add(id(row))
            said.append(FileFinding(row.path, error.sentence, "error"))
            continue
        found.setdefault(row.file.depth, []).append(extent(numbers))
        if not_finite(numbers):
            odd.append(row.path.name)
    ranges = {}
    for depth, extents in found.items():
        low, high = min(low for low, _ in extents), max(high for _, high in extents)
        ranges[depth], sentence = range_of_numbers(depth, low, high)
        if sentence:
            said.append(FileFinding(None, sentence))
    if odd:
        what = "1 image has pixels" if len(odd) == 1 else f"{len(odd):,} images have pixels"
        sentence = f"{what} that are no numbers (NaN) or infinite: NaN counts as black, infinite as black or white"
        said.append(FileFinding(None, f"{sentence} ({listed(dict.fromkeys(odd), 3)}).", "warning"))
    return [row for row in rows if id(row) not in lost], ranges


def _prefer_table(rows: Sequence[ImageRow], table: ImageTable) -> None:
    """Let the table's columns stand for those that the folders gave under the same name."""
    known = {str(column) for column in table.frame.columns}
    if likely_target(table.frame) is not None:
        known.add("class")
    for row in rows:
        row.columns = {key: value for key, value in row.columns.items() if key not in known}


def _frame(rows: Sequence[ImageRow], table: ImageTable | None) -> pd.DataFrame:
    import pandas as pd

    own = {key: [row.columns.get(key) for row in rows] for key in own_columns(rows)}
    frame = pd.DataFrame(own, index=range(len(rows)))
    if table is None:
        return frame
    return pd.concat([frame, rows_of(table.frame, [row.table_row for row in rows])], axis=1)


def _group(rows: Sequence[ImageRow], frame: pd.DataFrame) -> None:
    """Say what each image belongs to: as a column says it, else its video or folder, else the image alone."""
    column = column_called(frame, GROUP_WORDS)
    cells = [class_name(value) for value in frame[column].tolist()] if column else [""] * len(rows)
    for row, cell in zip(rows, cells, strict=True):
        row.group = cell or row.group or row.name


def _none_left(said: Sequence[FileFinding]) -> DataError:
    lost = [report.sentence for report in said if report.severity == "error"]
    if len(lost) == 1:
        return DataError(lost[0])
    if not lost:
        return DataError("There is no image left. " + " ".join(report.sentence for report in said[:3]))
    return DataError(f"None of {len(lost):,} files can be used. The first: {lost[0]}", details="\n".join(lost))


def _shortened(lost: Sequence[str]) -> list[str]:
    """Return the sentences on files that were left out; of many the first and a count."""
    if len(lost) <= _MOST_LOST:
        return list(lost)
    return [f"{len(lost):,} files can't be read and were left out. The first of them:", *lost[:_MOST_LOST]]
