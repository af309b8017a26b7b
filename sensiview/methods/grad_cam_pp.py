"""Grad-CAM++ of image networks and of 3-D networks over whole volumes."""

from __future__ import annotations

from sensiview.analysis.cam_analysis import CamAnalysis, CamParameters, Weighting


class GradCamPlusPlus(CamAnalysis):
    """Shows where a layer is active for a class, several objects of it alike: Grad-CAM with pixel-wise weights.

    As Grad-CAM, but a channel is weighed by the positive gradients of its places, each by a weight of its own that
    comes from higher powers of the gradient. A channel that is active at two objects, or at a small one, counts for as
    much as one that is active over a large area; Grad-CAM's mean over the whole map lets small ones vanish. High means
    support for the class. The weights are those of an exponential of the score, as in the paper.

    It misleads as Grad-CAM does: what lies inside one cell of the layer can't be told apart. Negative gradients are not
    looked at, so that a map hardly ever is empty, also for a class that is not there: look at the score beside it. On
    networks with few places in the last layer it differs little from Grad-CAM.

    References
    ----------
    Chattopadhyay, Sarkar, Howlader, Balasubramanian (2018). Grad-CAM++: Improved Visual Explanations for Deep
    Convolutional Networks. WACV. doi:10.1109/WACV.2018.00097, equations 10 and 19.
    """

    key = "grad_cam_pp"
    title = "Grad-CAM++"
    revision = 2
    rank = 112

    def weighting(self, parameters: CamParameters) -> Weighting:
        """Return the pixel-wise weights."""
        return "grad_cam_plus_plus"
