"""What a map over a volume is drawn on: the subject that it explains, or of a group the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import FieldMap, Item
from sensiview.datasets.volume import Volume
from sensiview.errors import SensiViewError, UserError

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.volumes import VolumeSet


class Anatomy:
    """The volumes below the maps of one run; each is opened when a map over it is drawn.

    Parameters
    ----------
    source : DatasetSource or None
        The data set of the run; None when there is none.
    parameters : mapping
        Of the run; ``subjects`` tells which group a map of several subjects is of.
    deleted : bool
        There was a data set once: maps say so.

    Attributes
    ----------
    sentences : list of str
        Why maps had to be drawn without anatomy, each once.
    items : mapping
        The items of the run that is drawn: images of a run lie below its maps.
    """

    def __init__(self, source: DatasetSource | None, parameters: Mapping[str, Any], *, deleted: bool = False) -> None:
        self._source, self._parameters, self._deleted = source, parameters, deleted
        self._volumes: VolumeSet | None = None
        self.sentences: list[str] = []
        self.items: Mapping[str, Item] = {}

    @property
    def space(self) -> str:
        """What the coordinates of the volumes mean, ``mni``, ``scanner``, ...; ``unknown`` where they differ."""
        return "unknown" if self._source is None else str(self._source.card.extra.get("space", "unknown"))

    def below(self, item: FieldMap, place: Sequence[int]) -> tuple[Volume | None, str]:
        """Return the volume below one map and what must be said of it; None and why there is none.

        Voxels are read when they are drawn, slice by slice; a compressed file is unpacked into the cache before. Call
        it off the GUI thread.

        Parameters
        ----------
        item : FieldMap
            Axes (..., z, y, x).
        place : sequence of int
            Where on the axes before z, y, x.
        """
        if self._deleted:
            return None, self._note("The data set of this map is no longer in the project, so no anatomy lies below.")
        if self._source is None or self._source.card.kind != "volumes":
            return None, ""
        try:
            volumes = self._opened()
            index, of = volume_below(volumes, item, place, self._parameters)
            words = f"Over {volumes.names[index]}, the first of {of:,} volumes." if of > 1 else ""
            return volumes.volume(index), words
        except SensiViewError as error:
            return None, self._note(f"Drawn without anatomy: {error.sentence}")

    def _note(self, sentence: str) -> str:
        if sentence not in self.sentences:
            self.sentences.append(sentence)
        return sentence

    def _opened(self) -> VolumeSet:
        from sensiview.datasets.volume_opening import open_volumes

        assert self._source is not None
        if self._volumes is None:
            self._volumes = open_volumes(self._source, all_there=False)
        return self._volumes


def volume_below(
    volumes: VolumeSet, item: FieldMap, place: Sequence[int], parameters: Mapping[str, Any]
) -> tuple[int, int]:
    """Return which volume lies below a map of a run with these parameters, and the first of how many it is.

    That of the subject, the one the map names, or the first of the group that the parameter ``subjects`` names.
    """
    at = dict(zip(item.axes[:-3], place, strict=True))
    labels = item.coordinates.get("subject", ())
    subject = labels[at["subject"]] if "subject" in at and at["subject"] < len(labels) else ""
    for wanted in (subject, item.over):
        for known in (volumes.names, volumes.subjects):
            if wanted in known:
                return known.index(wanted), 1
    subjects = parameters.get("subjects", "all")
    try:
        group = volumes.select([subjects] if isinstance(subjects, int) else subjects)
    except UserError:  # the parameter of another analysis: a word, no choice of volumes
        group = volumes.select("all")
    return int(group[0]), len(group)
