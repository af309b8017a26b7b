"""Which names belong to the labels of an atlas: files in the formats of the field, checked against the voxels."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.atlas_tables import Reading, read_columns, read_lines, reading_of
from sensiview.datasets.encodings import detect_encoding
from sensiview.errors import DataError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAME_ENDINGS = (".tsv", ".csv", ".txt", ".xml", ".lut", ".label", ".json", ".ctbl", ".lbl")
_LARGEST = 20 << 20  # no list of regions is longer; a volume given by mistake is not read into memory
_VALUE_TAGS = ("index", "value", "number", "id", "label_id", "key")
_NAME_TAGS = ("name", "full_name", "label", "region", "description", "abbreviation")


def read_names(path: Path) -> list[Reading]:
    """Return each way in which a file names labels, the most likely first.

    Text (``1 Name``, ``1: Name``, ``1 Name 2001``, one name a line), FreeSurfer and 3D Slicer colour tables, label
    descriptions of ITK-SNAP, CSV and TSV with or without a header, FSL, SPM and CAT12 XML, JSON. In FSL's files the
    index of a probabilistic atlas counts from 0 while the voxels of its maximum-probability volume count from 1
    (0 is the background there); both readings are returned, so that the volume can decide.

    Raises
    ------
    DataError
        The file can't be read, is not text, or has no names of labels.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"'{path.name}' is too large for a list of names. Choose the text file with the names.")
        raw = path.read_bytes()
        # Text of two bytes a character has a zero at every second place; a few zeros are another kind of file.
        if 0 < raw[:4096].count(0) < len(raw[:4096]) // 4:
            raise DataError(f"'{path.name}' is not a text file. Choose the file with the names of the regions.")
        text = raw.decode(detect_encoding(path), errors="replace").lstrip("\ufeff")
    except OSError as error:
        raise DataError(f"The names in '{path}' can't be read: {error.strerror or error}.") from error
    start = text.lstrip()[:1]
    if start == "<":
        readings = _from_xml(text, path)
    elif start in ("{", "[") and path.suffix.lower() == ".json":
        readings = _from_json(text, path)
    else:
        readings = read_columns(text) or read_lines(text)
    if not readings:
        raise DataError(
            f"'{path.name}' holds no names of labels. A line of it should be a number and a name, such as "
            "'1 Precentral_L', or a table with the columns index and name."
        )
    return readings


def best_reading(readings: list[Reading], labels: Collection[int]) -> Reading:
    """Return the reading that names most of the volume's labels.

    A value that was named twice counts against a reading (a column of colours repeats itself), and of readings that
    name as many the one with more different names wins (``1 Region 1`` is not ``Region``), then the first.
    """
    present = set(labels)

    def worth(reading: Reading) -> tuple[int, int]:
        named = present & reading.names.keys()
        return len(named) - len(reading.repeated), len({reading.names[label] for label in named})

    return max(readings, key=worth)


def names_image(path: Path) -> tuple[str, ...]:
    """Return the stems of the label volumes that an FSL XML file belongs to; empty for another file."""
    try:
        if path.stat().st_size > _LARGEST:
            return ()
        root = _parsed(path.read_bytes().decode("utf-8", errors="replace"), path)
    except (OSError, DataError):
        return ()
    texts = [element.text or "" for tag in ("summaryimagefile", "imagefile") for element in root.iter(tag)]
    return tuple(text.strip().rpartition("/")[2] for text in texts if text.strip())


def _parsed(text: str, path: Path) -> Element:
    from xml.etree import ElementTree

    # Entities can make a small file fill the memory; no atlas needs them.
    if "<!ENTITY" in text.upper():
        raise DataError(f"'{path.name}' defines XML entities, which a list of regions doesn't need; it is not read.")
    try:
        return ElementTree.fromstring(text.lstrip())
    except (ElementTree.ParseError, ValueError) as error:
        # ValueError: the declaration names another encoding than the text that was decoded already.
        raise DataError(f"'{path.name}' is not valid XML: {error}.") from error


def _from_xml(text: str, path: Path) -> list[Reading]:
    if text.startswith("<?xml"):
        text = text[text.find("?>") + 2 :]
    root = _parsed(text, path)
    elements = list(root.iter("label"))
    if any("index" in element.attrib for element in elements):
        return _from_fsl(root, elements)
    children = [
        {child.tag.lower(): (child.text or "") for child in element} for element in root.iter() if len(element) > 1
    ]
    pairs = []
    for fields in children:
        value = next((fields[tag] for tag in _VALUE_TAGS if tag in fields), "").strip()
        name = next((fields[tag] for tag in _NAME_TAGS if fields.get(tag, "").strip()), "")
        if value.lstrip("-").isdecimal() and name:
            pairs.append((int(value), name))
    found = reading_of(pairs, "index and name")
    return [found] if found else []


def _from_fsl(root: Element, elements: list[Element]) -> list[Reading]:
    pairs, shifted, valued = [], [], []
    for element in elements:
        index, value, name = element.get("index", ""), element.get("value", ""), "".join(element.itertext())
        if index.isdecimal():
            pairs.append((int(index), name))
            shifted.append((int(index) + 1, name))
        if value.isdecimal():
            valued.append((int(value), name))
    kind = "".join(element.text or "" for element in root.iter("type")).strip().lower()
    plain = reading_of(pairs, "FSL's index is the voxel's value")
    above = reading_of(shifted, "FSL's index is the voxel's value less one")
    order = [plain, above] if kind == "label" else [above, plain]
    return [r for r in (reading_of(valued, "FSL's value"), *order) if r is not None]


def _from_json(text: str, path: Path) -> list[Reading]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"'{path.name}' is not valid JSON: {error.msg} in line {error.lineno}.") from error
    return _json_readings(content, depth=0)


def _json_readings(content: Any, depth: int) -> list[Reading]:
    if isinstance(content, list):
        if content and all(isinstance(one, str) for one in content):
            first = 0 if content[0].lower() in ("background", "unknown") else 1
            found = reading_of(list(enumerate(content, first)), f"names in order, the first is label {first}")
            return [found] if found else []
        return _from_records([one for one in content if isinstance(one, dict)])
    if not isinstance(content, dict):
        return []
    by_value = [(int(k), v) for k, v in content.items() if _is_whole(k) and isinstance(v, str)]
    by_value += [
        (int(k), str(next((v[tag] for tag in _NAME_TAGS if tag in v), "")))
        for k, v in content.items()
        if _is_whole(k) and isinstance(v, dict)
    ]
    by_name = [(int(v), k) for k, v in content.items() if isinstance(v, int) and not isinstance(v, bool)]
    found = reading_of(by_value, "value: name")
    # Facts about the picture, as BIDS writes them beside it, are numbers by name too.
    if found is None and len(by_name) == len(content):
        found = reading_of(by_name, "name: value")
    if found is not None:
        return [found]
    inner = [_json_readings(v, depth + 1) for v in content.values() if isinstance(v, dict | list)] if depth < 2 else []
    return [reading for readings in inner for reading in readings]


def _from_records(records: list[dict[str, Any]]) -> list[Reading]:
    pairs = []
    for record in records:
        fields = {str(key).lower(): value for key, value in record.items()}
        value = next((fields[tag] for tag in (*_VALUE_TAGS, "label") if _is_whole(fields.get(tag))), None)
        name = next((fields[tag] for tag in _NAME_TAGS if isinstance(fields.get(tag), str)), "")
        if value is not None and name:
            pairs.append((int(value), name))
    found = reading_of(pairs, "a list of values and names")
    return [found] if found else []


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and value.strip().lstrip("-").isdecimal())
