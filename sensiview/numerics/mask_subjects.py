"""Whose inputs are masked: patients by default, or those named. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError
from sensiview.numerics.mask_fills import control_class

PATIENTS = "patients"
CONTROLS = "controls"
Selection = str | Sequence[int | str]


def control_name(card: DatasetCard, wanted: str = "") -> str:
    """Return which class of a data set are the controls.

    Raises
    ------
    UserError
        There is no such class, or no classes at all.
    """
    if card.target is None or not card.class_counts:
        raise UserError(f"'{card.name}' has no classes. Choose the column that holds the diagnosis, or name subjects.")
    return control_class(list(card.class_counts), wanted)


def choose_subjects(volumes: VolumeSet, wanted: Selection, controls: str = "") -> npt.NDArray[np.int64]:
    """Return places of volumes, ascending.

    Parameters
    ----------
    volumes : VolumeSet
    wanted : str or sequence
        ``patients``: every volume with a label that is not the controls'; ``controls``; or as `VolumeSet.select`.
    controls : str
        Class of the controls; empty finds it by its name.

    Raises
    ------
    UserError
        Nothing is left, or no such class, volume or column.
    """
    word = wanted.strip().lower() if isinstance(wanted, str) else ""
    if word not in (PATIENTS, CONTROLS):
        return volumes.select(wanted)
    card = volumes.card
    name = control_name(card, controls)
    code = list(card.class_counts).index(name)
    labels = volumes.labels()
    found = np.flatnonzero(labels == code if word == CONTROLS else (labels >= 0) & (labels != code))
    if not len(found):
        what = f"of the class '{name}'" if word == CONTROLS else f"of a class other than '{name}'"
        raise UserError(f"'{card.name}' has no volume {what}. Name the subjects, or say which class the controls are.")
    return found


def by_class(card: DatasetCard, wanted: Selection, controls: str = "") -> Selection:
    """Return ``patients`` and ``controls`` as the classes that they are (``diagnosis=AD``), others as they are.

    For selections that know no such words; `controls` as in `choose_subjects`.

    Raises
    ------
    UserError
        Patients or controls are asked for, and there are no classes.
    """
    word = wanted.strip().lower() if isinstance(wanted, str) else ""
    if word not in (PATIENTS, CONTROLS):
        return wanted
    name = control_name(card, controls)
    return [f"{card.target}={one}" for one in card.class_counts if (one == name) == (word == CONTROLS)]


def count_subjects(card: DatasetCard, wanted: Selection, controls: str = "") -> int:
    """Return how many volumes are chosen, from the card alone; all of them where it can't say.

    Raises
    ------
    UserError
        Patients or controls are asked for, and there are no classes.
    """
    word = wanted.strip().lower() if isinstance(wanted, str) else ""
    if word in (PATIENTS, CONTROLS):
        count = card.class_counts[control_name(card, controls)]
        return count if word == CONTROLS else sum(card.class_counts.values()) - count
    names = set(card.extra.get("names", ()))
    subjects = list(card.extra.get("subjects", ()))
    places: set[int | str] = set()
    most = 0
    for part in [p.strip() for p in wanted.split(",")] if isinstance(wanted, str) else list(wanted):
        text = str(part)
        column, equals, value = text.partition("=")
        first, dash, last = text.partition("-")
        if text in names or isinstance(part, int):
            places.add(text)
        elif text in subjects:
            most += subjects.count(text)
        elif equals and column == card.target:
            most += card.class_counts.get(value, 0)
        elif first.isdecimal() and (not dash or last.isdecimal()):
            places |= {str(i) for i in range(int(first), int(last or first) + 1)}
        else:
            return card.n_rows
    return max(1, min(card.n_rows, len(places) + most))
