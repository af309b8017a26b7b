"""From the recorded parameters of a map to what makes it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sensiview.errors import UserError
from sensiview.numerics.gradient_makers import GradCamMaker, SaliencyMaker
from sensiview.numerics.gradient_maps import Weighting
from sensiview.numerics.map_layers import chosen_layer
from sensiview.numerics.map_makers import Channels, MapMaker
from sensiview.numerics.map_space import MapInputs, Space
from sensiview.numerics.occlusion_maps import OcclusionMaker, windows_on
from sensiview.numerics.path_baselines import baselines_of
from sensiview.numerics.path_maker import IntegratedGradientsMaker
from sensiview.numerics.replacement import replacement


def maker_of(
    key: str,
    options: Mapping[str, Any],
    *,
    inputs: MapInputs,
    space: Space,
    like: int,
    seed: int,
    tick: Callable[[], None],
) -> MapMaker:
    """Return the maker of a kind of map.

    Parameters
    ----------
    key : str
        ``grad_cam``, ``grad_cam_pp``, ``saliency``, ``integrated_gradients`` or ``occlusion``.
    options : mapping
        The method's parameters, as a run records them; all of its own must be there.
    inputs : MapInputs
    space : Space
        Of the inputs.
    like : int
        Place of one of the inputs.
    seed : int
        For noise.
    tick : callable
        Called while controls are read.

    Raises
    ------
    UserError
        Another method, or options that don't fit.
    """
    # A map for each channel is checked as their sum.
    wanted = options.get("channels", "sum")
    channels: Channels = "sum" if wanted == "each" else wanted
    try:
        if key in ("grad_cam", "grad_cam_pp"):
            layer = chosen_layer(inputs.network.card, options["layer"])
            weighting: Weighting = "grad_cam_plus_plus" if key == "grad_cam_pp" else options["variant"]
            return GradCamMaker(layer, weighting, options["relu"], options["absolute"])
        if key == "saliency":
            return SaliencyMaker(
                options["absolute"], options["times_input"], options["samples"], options["sigma"], seed, channels
            )
        if key == "integrated_gradients":
            starts, count = baselines_of(
                options["baseline"],
                samples=options["samples"],
                blur=options["blur"],
                controls=options["controls"],
                inputs=inputs,
                like=like,
                seed=seed,
                tick=tick,
            )
            return IntegratedGradientsMaker(
                starts, count, options["steps"], options["rule"], channels, options["absolute"]
            )
        if key == "occlusion" and options["mode"] == "windows":
            windows = windows_on(space, options["window"], options["stride"], options["unit"])
            put_in = replacement(
                options["fill"],
                blur=options["blur"],
                controls=options["controls"],
                inputs=inputs,
                like=like,
                tick=tick,
            )
            return OcclusionMaker(windows, put_in)
    except KeyError as error:
        raise UserError(f"The run does not say its {error}, so its map can't be made again. Run it anew.") from None
    what = "occlusion by region" if key == "occlusion" else f"'{key}'"
    raise UserError(
        f"Maps of {what} can't be checked here. Choose a run of Grad-CAM, saliency, integrated gradients, occlusion by "
        "windows, or mask optimisation."
    )
