"""The partitions that come with SensiView, by key."""

from __future__ import annotations

from sensiview.numerics.screening.atlas_parts import Atlas
from sensiview.numerics.screening.cells import Channels, Grid
from sensiview.numerics.screening.partition import Partition
from sensiview.numerics.screening.superpixels import Superpixels


def partitions() -> dict[str, Partition]:
    """Return our own partitions, in the order of menus; a new dictionary each time."""
    return {one.key: one for one in (Grid(), Superpixels(), Atlas(), Channels())}
