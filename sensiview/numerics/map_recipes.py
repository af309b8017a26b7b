"""From the recorded parameters of a map to what makes it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sensiview.datasets.volume import Grid
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError
from sensiview.models.card import ModelCard
from sensiview.numerics.map_layers import chosen_layer
from sensiview.numerics.occlusion_maps import OcclusionMaker, windows_on
from sensiview.numerics.replacement import replacement
from sensiview.numerics.volume_maps import GradCamMaker, MapMaker, SaliencyMaker


def maker_of(
    key: str,
    options: Mapping[str, Any],
    *,
    card: ModelCard,
    grid: Grid,
    volumes: VolumeSet,
    like: int,
    seed: int,
    tick: Callable[[], None],
) -> MapMaker:
    """Return the maker of a kind of map.

    Parameters
    ----------
    key : str
        ``grad_cam``, ``saliency`` or ``occlusion``.
    options : mapping
        The method's parameters, as a run records them; all of its own must be there.
    card : ModelCard
    grid : Grid
        Of the volumes.
    volumes : VolumeSet
    like : int
        Place of one of the volumes.
    seed : int
        For noise.
    tick : callable
        Called while controls are read.

    Raises
    ------
    UserError
        Another method, or options that don't fit.
    """
    try:
        if key == "grad_cam":
            layer = chosen_layer(card, options["layer"])
            return GradCamMaker(layer, options["variant"], options["relu"], options["absolute"])
        if key == "saliency":
            return SaliencyMaker(
                options["absolute"], options["times_input"], options["samples"], options["sigma"], seed
            )
        if key == "occlusion" and options["mode"] == "windows":
            windows = windows_on(grid, options["window"], options["stride"], options["unit"])
            put_in = replacement(
                options["fill"],
                blur_mm=options["blur"],
                controls=options["controls"],
                volumes=volumes,
                like=like,
                tick=tick,
            )
            return OcclusionMaker(windows, put_in)
    except KeyError as error:
        raise UserError(f"The run does not say its {error}, so its map can't be made again. Run it anew.") from None
    what = "occlusion by region" if key == "occlusion" else f"'{key}'"
    raise UserError(
        f"Maps of {what} can't be checked here. Choose a run of Grad-CAM, saliency, occlusion by windows, or mask "
        "optimisation."
    )
