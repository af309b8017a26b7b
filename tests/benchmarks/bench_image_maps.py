"""Maps of images beside the libraries that are used for them: Grad-CAM against pytorch-grad-cam and Captum.

Without pytorch-grad-cam, which needs OpenCV and is not among the development packages, its line is left out. Both sides
get the same module, images and batches, on one thread; the peer's maps are brought to the images' size the same way.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

from harness import Benchmark, largest_difference, measure

IMAGES, SIDE, BATCH = 64, 224, 16
LAYER = "layer4"


def _pixels(count: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).random((count, 3, SIDE, SIDE), dtype=np.float32)


def _module() -> Any:
    import torch
    import torchvision

    torch.manual_seed(1)
    torch.set_num_threads(1)
    return torchvision.models.resnet18(weights=None).eval()


def _summary(maps: Any) -> dict[str, Any]:
    """Return enough of the maps to tell them apart: each one's mean, and one row of pixels."""
    return {"mean": maps.mean(axis=(1, 2)).tolist(), "row": maps[:, SIDE // 3, ::7].tolist()}


def prepare_ours(count: int) -> Callable[[], Any]:
    """Our Grad-CAM of images in memory, through the loop that every run uses."""
    import numpy as np
    import pandas as pd

    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.images import ImageEntry, ImageSet
    from sensiview.models.image_settings import ImageSettings
    from sensiview.models.network import network_from_module
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.gradient_makers import GradCamMaker
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.image_map_space import ImageMapInputs
    from sensiview.numerics.map_makers import MapWork, each_map
    from sensiview.numerics.volume_scores import Scorer

    pixels = _pixels(count)
    names = [str(number) for number in range(count)]

    def opener(number: int) -> Callable[[], Any]:
        return lambda: pixels[number]

    entries = tuple(ImageEntry(name, name, (SIDE, SIDE), 3, opener(i)) for i, name in enumerate(names))
    card = DatasetCard(name="random", kind="images", n_rows=count, extra={"names": names, "groups": names})
    images = ImageSet(card, entries, pd.DataFrame(index=range(count)))
    settings = ImageSettings(channels=3, size=(SIDE, SIDE)).to_card()
    classes = [str(number) for number in range(1000)]
    network = network_from_module(
        _module(), sample=pixels[:1], name="net", class_names=classes, preprocessing=settings, device="cpu"
    )
    inputs = ImageMapInputs(ImageInputs(network, images))
    scorer = Scorer(inputs.scored, 7, "logit")

    def call() -> Any:
        work = MapWork(scorer, inputs.reader(print), CarefulBatches(network, BATCH, print), lambda rows: None)
        found = [one.values[:, 0] for one in each_map(GradCamMaker(LAYER), work, range(count))]
        return _summary(np.concatenate(found))

    return call


def prepare_pytorch_grad_cam(count: int) -> Callable[[], Any]:
    """pytorch-grad-cam on the same batches, its own call."""
    import numpy as np
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    module, pixels = _module(), torch.from_numpy(_pixels(count))

    def call() -> Any:
        found = []
        with GradCAM(model=module, target_layers=[module.get_submodule(LAYER)]) as made:
            for begin in range(0, count, BATCH):
                rows = pixels[begin : begin + BATCH]
                made(input_tensor=rows, targets=[ClassifierOutputTarget(7)] * len(rows))
                # It scales every map to [0, 1] and resizes with OpenCV; the raw maps are what can be compared.
                (a,), (g,) = made.activations_and_grads.activations, made.activations_and_grads.gradients
                cam = (g.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True).clamp(min=0)
                wide = torch.nn.functional.interpolate(cam, size=(SIDE, SIDE), mode="bilinear")
                found.append(wide[:, 0].numpy())
        return _summary(np.concatenate(found))

    return call


def prepare_captum(count: int) -> Callable[[], Any]:
    """Captum's LayerGradCam and its interpolation on the same batches."""
    import numpy as np
    import torch
    from captum.attr import LayerAttribution, LayerGradCam

    module, pixels = _module(), torch.from_numpy(_pixels(count))
    made = LayerGradCam(module, module.get_submodule(LAYER))

    def call() -> Any:
        found = []
        for begin in range(0, count, BATCH):
            rows = pixels[begin : begin + BATCH]
            cam = made.attribute(rows, 7, relu_attributions=True)
            wide = LayerAttribution.interpolate(cam, (SIDE, SIDE), "bilinear")
            found.append(wide[:, 0].detach().numpy())
        return _summary(np.concatenate(found))

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Time, memory and agreement; memory for fifteen times as many images must not grow with them."""
    ours = measure(prepare_ours, IMAGES, repeats=3)
    peers: list[tuple[str, Callable[..., Callable[[], Any]]]] = [("Captum LayerGradCam", prepare_captum)]
    if importlib.util.find_spec("pytorch_grad_cam") is not None:
        peers.insert(0, ("pytorch-grad-cam", prepare_pytorch_grad_cam))
    for name, prepare in peers:
        peer = measure(prepare, IMAGES, repeats=3)
        ratio = peer.seconds / ours.seconds
        difference = largest_difference(ours.value, peer.value)
        yield Benchmark(
            f"grad_cam, ResNet-18, {IMAGES} images of {SIDE} x {SIDE}",
            ours.seconds,
            peer=name,
            peer_seconds=peer.seconds,
            ratio=ratio,
            target="no slower, equal to 1e-5",
            met=ratio >= 1 and difference <= 1e-5,
            ours_mb=ours.peak_mb,
            peer_mb=peer.peak_mb,
            max_difference=difference,
        )
