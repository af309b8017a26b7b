"""Places in the patient as people write and read them: ``L 24.0  A 12.5  I 8.0 mm``, ``voxel 90 110 60``."""

from __future__ import annotations

import math
import re

import numpy as np

from sensiview.errors import UserError
from sensiview.gui.viewer.scene import DisplayGrid, Millimetres, Scene

_AXES = (("L", "R"), ("P", "A"), ("I", "S"))  # letter of the negative and of the positive direction
_LETTERS = {letter: (axis, sign) for axis, pair in enumerate(_AXES) for letter, sign in zip(pair, (-1, 1), strict=True)}
_NUMBER = r"[-+\u2212]?\d+(?:[.,]\d+)?"
_LETTERED = re.compile(rf"([RLAPSI])\s*=?\s*({_NUMBER})|({_NUMBER})\s*([RLAPSI])", re.IGNORECASE)
_PLAIN = re.compile(_NUMBER)
_VOXEL = re.compile(r"^\s*(?:voxel|vox|ijk|v)\b[\s:=]*", re.IGNORECASE)
_HELP = (
    "Type three numbers such as '-24 12.5 -8' (right, anterior, superior in mm), 'L24 A12.5 I8' or 'voxel 90 110 60'."
)


def millimetre_text(mm: Millimetres) -> str:
    """Return a point with the letter of the side it lies on: ``L 24.0  A 12.5  I 8.0 mm``."""
    parts = []
    for value, (negative, positive) in zip(mm, _AXES, strict=True):
        rounded = round(value, 1)
        parts.append(f"{negative if rounded < 0 else positive} {abs(rounded):.1f}")
    return f"{'  '.join(parts)} mm"


def signed_text(mm: Millimetres) -> str:
    """Return a point as numbers for copying into other tools: ``-24.0 12.5 -8.0``, RAS."""
    return " ".join(f"{round(value, 1) + 0.0:.1f}" for value in mm)


def voxel_text(voxel: tuple[int, int, int]) -> str:
    """Return the indices of a voxel in its file: ``(90, 110, 60)``."""
    return f"({', '.join(str(v) for v in voxel)})"


def parse_place(text: str, scene: Scene, *, as_voxel: bool = False) -> Millimetres:
    """Return the RAS point that a text means.

    Parameters
    ----------
    text : str
        Three numbers in mm (right, anterior, superior), in any order when each has its letter of R L A P S I; or
        three voxel indices of the file behind the word ``voxel``.
    scene : Scene
        Gives the grid that the point must lie in, and the way from file voxels to mm.
    as_voxel : bool
        Take plain numbers for voxel indices.

    Raises
    ------
    UserError
        The text is no place, or the place lies outside the volume.
    """
    shortened = text.strip()
    if not shortened:
        raise UserError(f"There is nothing to go to. {_HELP}")
    word = _VOXEL.match(shortened)
    bare = re.sub(r"\s*mm\s*$", "", shortened[word.end() :] if word else shortened, flags=re.IGNORECASE).strip("()[] ")
    lettered = _LETTERED.findall(bare)
    if lettered:
        if word or as_voxel:
            raise UserError(f"'{shortened}' mixes voxel indices with the letters of millimetres. {_HELP}")
        mm = _from_letters(shortened, bare, lettered)
    else:
        numbers = _three_numbers(shortened, bare)
        mm = _from_voxel(scene, numbers, shortened) if word or as_voxel else numbers
    if not scene.grid.holds(scene.grid.voxel(mm)):
        raise UserError(f"{millimetre_text(mm)} lies outside the volume, which reaches {_reach(scene.grid)}.")
    return mm


def _from_letters(text: str, bare: str, found: list[tuple[str, str, str, str]]) -> Millimetres:
    rest = _LETTERED.sub("", bare).strip(" ,;/")
    values: dict[int, float] = {}
    for before, number_after, number_before, after in found:
        axis, sign = _LETTERS[(before or after).upper()]
        if axis in values:
            raise UserError(f"'{text}' names the {_NAMES[axis]} direction twice. {_HELP}")
        values[axis] = sign * _number(number_after or number_before)
    if rest or len(values) != 3:
        raise UserError(f"'{text}' is not a place. {_HELP}")
    return values[0], values[1], values[2]


_NAMES = ("right-left", "anterior-posterior", "superior-inferior")


def _three_numbers(text: str, bare: str) -> Millimetres:
    # With spaces or semicolons between the numbers a comma is a decimal comma; alone it separates.
    tokens = [token.strip(" ,") for token in re.split(r"[;\s/]+" if re.search(r"[;\s/]", bare) else ",", bare)]
    tokens = [token for token in tokens if token]
    if len(tokens) != 3 or not all(_PLAIN.fullmatch(token) for token in tokens):
        raise UserError(f"'{text}' is not a place. {_HELP}")
    first, second, third = (_number(token) for token in tokens)
    return first, second, third


def _from_voxel(scene: Scene, numbers: Millimetres, text: str) -> Millimetres:
    if any(not float(n).is_integer() for n in numbers):
        raise UserError(f"'{text}': voxel indices are whole numbers. {_HELP}")
    point = np.linalg.inv(scene.to_file_voxel) @ np.array([*numbers, 1.0])
    return float(point[0]), float(point[1]), float(point[2])


def _number(text: str) -> float:
    value = float(text.replace(",", ".").replace("\u2212", "-"))
    assert math.isfinite(value)
    return value


def _reach(grid: DisplayGrid) -> str:
    last = (grid.shape[0] - 1, grid.shape[1] - 1, grid.shape[2] - 1)
    low, high = millimetre_text(grid.mm((0, 0, 0))), millimetre_text(grid.mm(last))
    return f"from {low} to {high}"
