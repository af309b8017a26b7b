"""Images handed over in a notebook: what is one, and the network that looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.image_kinds import kind_of
from sensiview.datasets.image_memory import images_from_arrays, is_image
from sensiview.datasets.image_opening import images_from_files
from sensiview.datasets.images import ImageSet
from sensiview.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

    from sensiview.models.network import Network


def as_images(
    module: nn.Module | None, data: Any, labels: Sequence[Any] | None = None, class_names: Sequence[str] = ()
) -> ImageSet | None:
    """Return images as a set; None for data that are none.

    Parameters
    ----------
    module : nn.Module or None
        Decides about arrays of three and four axes and lists of them: its first convolution says whether it looks at
        images or at volumes.
    """
    if isinstance(data, ImageSet):
        return data
    if isinstance(data, str | Path) and _holds_many(Path(data).expanduser()):
        return images_from_files([data])
    if not _are_images(module, data):
        return None
    return images_from_arrays(data, labels=labels, class_names=class_names)


def network_for(
    module: nn.Module,
    images: ImageSet,
    class_names: Sequence[str],
    preprocessing: Mapping[str, Any] | None,
    device: str,
) -> Network:
    """Return the module as a network for these images.

    Without `class_names` the images' classes are the network's where it has as many outputs.

    Raises
    ------
    ModelError
        It can't compute on an image, or takes grey ones and these are in colour, or the other way round.
    """
    from sensiview.models.image_geometry import seen_image
    from sensiview.models.image_settings import parse_image_settings
    from sensiview.models.network import network_from_module

    name = type(module).__name__
    pixels = images.image(0)
    if not preprocessing:
        _check_colours(module, name, pixels.shape[0])
    if preprocessing and preprocessing.get("kind") == "image":
        pixels = seen_image(pixels, parse_image_settings(preprocessing, name), images.valid_range)

    def wrapped(names: Sequence[str]) -> Network:
        return network_from_module(
            module,
            sample=pixels[None],
            name=name,
            class_names=names,
            preprocessing=preprocessing,
            device=device,
        )

    network = wrapped(class_names)
    known = tuple(images.card.reading.get("class_order", ())) or tuple(images.card.class_counts)
    if not class_names and len(known) > 1 and len(network.card.output_names) == len(known):
        return wrapped(known)
    return network


def _holds_many(path: Path) -> bool:
    """Say whether it is a folder, or a file of many images (NumPy, MNIST, CIFAR, a video, a loop)."""
    try:
        return path.is_dir() or (kind_of(path) or "picture") != "picture"
    except OSError:
        return False


def _are_images(module: nn.Module | None, data: Any) -> bool:
    axes = getattr(data, "ndim", None)
    if isinstance(axes, int) and not hasattr(data, "columns") and not hasattr(data, "affine"):
        looks = _looks_at_images(module)
        if looks is None and axes == 4:  # no convolution that tells: an axis of colours does
            return data.shape[1] in (1, 3) or data.shape[3] in (1, 3)
        return axes in (2, 3, 4) and bool(looks)
    many = list(data) if isinstance(data, list | tuple) else [data]
    if not many or not all(is_image(one) for one in many):
        return False
    # A PIL image or a path says by itself what it is; plain arrays are read as the network takes them.
    return not any(hasattr(one, "ndim") for one in many) or bool(_looks_at_images(module))


def _check_colours(module: nn.Module, name: str, given: int) -> None:
    """Refuse grey images for a network of colours and the other way round, with the setting that brings them over."""
    wanted = getattr(_first_convolution(module), "in_channels", given)
    if wanted == given or {wanted, given} != {1, 3}:
        return
    words = {1: "grey images", 3: "colour images"}
    how = "repeats the grey" if wanted == 3 else "takes their brightness"
    raise ModelError(
        f"The network '{name}' takes {words[wanted]}, these are {words[given]}. Give analyse() the argument "
        f"preprocessing={{'kind': 'image', 'channels': {wanted}}}, which {how}, with the network's own mean and std."
    )


def _looks_at_images(module: nn.Module | None) -> bool | None:
    """Say whether the network's first convolution goes over two axes; None where it has none."""
    if module is None:
        return False
    from torch.nn import Conv2d

    found = _first_convolution(module)
    return None if found is None else isinstance(found, Conv2d)


def _first_convolution(module: nn.Module) -> nn.Module | None:
    from torch.nn import Conv1d, Conv2d, Conv3d

    return next((one for one in module.modules() if isinstance(one, Conv1d | Conv2d | Conv3d)), None)
