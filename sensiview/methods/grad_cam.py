"""Grad-CAM of image networks and of 3-D networks over whole volumes."""

from __future__ import annotations

from typing import Literal

from sensiview.analysis.cam_analysis import CamAnalysis, CamParameters, Weighting
from sensiview.analysis.parameters import parameter


class GradCamParameters(CamParameters):
    """Which layer, how its channels are weighed, and what is done with the map."""

    variant: Literal["grad_cam", "grad_cam_plus_plus"] = parameter(
        "grad_cam",
        label="Variant",
        help="How channels are weighed: the mean gradient (grad_cam), or the weighted mean of positive gradients.",
        advanced=True,
    )


class GradCam(CamAnalysis):
    """Shows where a layer of the network is active for a class, as a map over the image or the volume.

    Each channel of the layer is weighed by the mean of the class score's gradient over all spatial axes; the weighted
    sum is cut at 0 and brought to the network's input grid by linear interpolation: for images onto the pixels that the
    network sees, for volumes from there into the volume's own grid, so that it lies over the volume in any viewer. High
    means support for the class; the map is not inverted, and its scale is its own: compare places, not inputs. Of a
    vision transformer the tokens of the patches are laid out as a map; the layer taken is the last one before the last
    attention, since behind it the class is read from a token of its own.

    It misleads where the layer is coarse. A cell of a layer of 7 x 7 covers 32 x 32 pixels of 224, one of 3 x 4 x 3 a
    third of the head, and the smooth picture between the cells is interpolation, not knowledge: the note says how large
    a cell is. Two structures inside one cell can't be told apart, and a map over a late layer says where the network is
    active, not which pixels it would miss; occlusion and masks answer that. A map of zeros means that every channel
    speaks against the class; look at it without the cut. Run the sanity checks before trusting it.

    References
    ----------
    Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017). Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-based Localization. ICCV. doi:10.1109/ICCV.2017.74.
    Chattopadhyay, Sarkar, Howlader, Balasubramanian (2018). Grad-CAM++. WACV. doi:10.1109/WACV.2018.00097.
    """

    key = "grad_cam"
    title = "Grad-CAM"
    revision = 2
    rank = 110
    Parameters = GradCamParameters

    def weighting(self, parameters: CamParameters) -> Weighting:
        """Return what the variant says."""
        return parameters.variant if isinstance(parameters, GradCamParameters) else "grad_cam"
