"""What torchvision's own weight files want of images, by network and file. Loads no torch.

Taken from the ``transforms`` of torchvision's weights, written out because torchvision takes seconds to load; a test
compares it with the installed version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD, ImageSettings

Row = tuple[str, int, int] | tuple[str, int, int, Literal["bicubic"]]


@dataclass(frozen=True)
class Published:
    """One file of weights that torchvision gives out.

    Parameters
    ----------
    digest : str
        The end of its name: ``0676ba61`` of ``resnet50-0676ba61.pth``.
    size, resize : int
        Pixels: side of the square that is cut out of the middle, and of the shorter side before.
    interpolation : str
    """

    digest: str
    size: int
    resize: int
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"


def published(network: str) -> tuple[Published, ...]:
    """Return the files of weights of a network, the first version first."""
    return tuple(Published(*row) for row in _FILES[network])


def published_as(network: str, file: str) -> Published | None:
    """Return which of them a file is by its name; None where it is called something else."""
    return next((entry for entry in published(network) if entry.digest in file), None)


def settings_for(network: str, *, size: int = 0, channels: int = 3, file: str = "") -> ImageSettings:
    """Return the preprocessing that the weights of a network were published with.

    Parameters
    ----------
    network : str
        torchvision's name.
    size : int
        Side in pixels; 0 for the published one. The resizing before the cut grows with it.
    channels : int
        1 for weights made for grey images: mean and standard deviation are then the colours' means.
    file : str
        Name of the file of weights: versions of the same network differ. Another name counts as the first version,
        or the first of this size.
    """
    known = published(network)
    entry = published_as(network, file) or next((e for e in known if size in (0, e.size)), known[0])
    side = size or entry.size
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mean, std = ((0.5,) * 3, (0.5,) * 3) if network in _HALVES else (IMAGENET_MEAN, IMAGENET_STD)
    if channels == 1:
        mean, std = (round(sum(mean) / 3, 3),), (round(sum(std) / 3, 3),)
    return ImageSettings(
        channels=1 if channels == 1 else 3,
        resize=round(entry.resize * side / entry.size),
        size=(side, side),
        interpolation=entry.interpolation,
        mean=mean,
        std=std,
    )


# Trained on values from -1 to 1.
_HALVES = ("efficientnet_v2_l",)
# End of the file's name, side of the cut, shorter side before it, and the interpolation where it is not bilinear.
# The weights that torchvision has for VGG-16 without a classifier (vgg16_features) are left out: they give no classes.
_FILES: dict[str, tuple[Row, ...]] = {
    "alexnet": (("7be5be79", 224, 256),),
    "convnext_base": (("6075fbad", 224, 232),),
    "convnext_large": (("ea097f82", 224, 232),),
    "convnext_small": (("0c510722", 224, 230),),
    "convnext_tiny": (("983f1562", 224, 236),),
    "densenet121": (("a639ec97", 224, 256),),
    "densenet161": (("8d451a50", 224, 256),),
    "densenet169": (("b2777c0a", 224, 256),),
    "densenet201": (("c1103571", 224, 256),),
    "efficientnet_b0": (("7f5810bc", 224, 256, "bicubic"),),
    "efficientnet_b1": (
        ("bac287d4", 240, 256, "bicubic"),
        ("c27df63c", 240, 255),
    ),
    "efficientnet_b2": (("c35c1473", 288, 288, "bicubic"),),
    "efficientnet_b3": (("b3899882", 300, 320, "bicubic"),),
    "efficientnet_b4": (("23ab8bcd", 380, 384, "bicubic"),),
    "efficientnet_b5": (("1a07897c", 456, 456, "bicubic"),),
    "efficientnet_b6": (("24a108a5", 528, 528, "bicubic"),),
    "efficientnet_b7": (("c5b4e57e", 600, 600, "bicubic"),),
    "efficientnet_v2_l": (("59c71312", 480, 480, "bicubic"),),
    "efficientnet_v2_m": (("dc08266a", 480, 480),),
    "efficientnet_v2_s": (("dd5fe13b", 384, 384),),
    "googlenet": (("1378be20", 224, 256),),
    "inception_v3": (("0cc3c7bd", 299, 342),),
    "maxvit_t": (("bc5ab103", 224, 224, "bicubic"),),
    "mnasnet0_5": (("3ffadce67e", 224, 256),),
    "mnasnet0_75": (("7090bc5f", 224, 232),),
    "mnasnet1_0": (("f206786ef8", 224, 256),),
    "mnasnet1_3": (("a4c69d6f", 224, 232),),
    "mobilenet_v2": (
        ("b0353104", 224, 256),
        ("7ebf99e0", 224, 232),
    ),
    "mobilenet_v3_large": (
        ("8738ca79", 224, 256),
        ("5c1a4163", 224, 232),
    ),
    "mobilenet_v3_small": (("047dcff4", 224, 256),),
    "regnet_x_16gf": (
        ("2007eb11", 224, 256),
        ("ba3796d7", 224, 232),
    ),
    "regnet_x_1_6gf": (
        ("e3633e7f", 224, 256),
        ("a12f2b72", 224, 232),
    ),
    "regnet_x_32gf": (
        ("9d47f8d0", 224, 256),
        ("6eb8fdc6", 224, 232),
    ),
    "regnet_x_3_2gf": (
        ("f342aeae", 224, 256),
        ("7071aa85", 224, 232),
    ),
    "regnet_x_400mf": (
        ("adf1edd5", 224, 256),
        ("62229a5f", 224, 232),
    ),
    "regnet_x_800mf": (
        ("ad17e45c", 224, 256),
        ("94a99ebd", 224, 232),
    ),
    "regnet_x_8gf": (
        ("03ceed89", 224, 256),
        ("2b70d774", 224, 232),
    ),
    "regnet_y_128gf": (
        ("c8ce3e52", 384, 384, "bicubic"),
        ("cbe8ce12", 224, 224, "bicubic"),
    ),
    "regnet_y_16gf": (
        ("9e6ed7dd", 224, 256),
        ("3e4a00f9", 224, 232),
        ("43afe44d", 384, 384, "bicubic"),
        ("f3ec0043", 224, 224, "bicubic"),
    ),
    "regnet_y_1_6gf": (
        ("b11a554e", 224, 256),
        ("0d7bc02a", 224, 232),
    ),
    "regnet_y_32gf": (
        ("4dee3f7a", 224, 256),
        ("8db6d4b5", 224, 232),
        ("04fdfa75", 384, 384, "bicubic"),
        ("e1583746", 224, 224, "bicubic"),
    ),
    "regnet_y_3_2gf": (
        ("b5a9779c", 224, 256),
        ("9180c971", 224, 232),
    ),
    "regnet_y_400mf": (
        ("c65dace8", 224, 256),
        ("e6988f5f", 224, 232),
    ),
    "regnet_y_800mf": (
        ("1b27b58c", 224, 256),
        ("58fc7688", 224, 232),
    ),
    "regnet_y_8gf": (
        ("d0d0e4a8", 224, 256),
        ("dc2b1b54", 224, 232),
    ),
    "resnet101": (
        ("63fe2227", 224, 256),
        ("cd907fc2", 224, 232),
    ),
    "resnet152": (
        ("394f9c45", 224, 256),
        ("f82ba261", 224, 232),
    ),
    "resnet18": (("f37072fd", 224, 256),),
    "resnet34": (("b627a593", 224, 256),),
    "resnet50": (
        ("0676ba61", 224, 256),
        ("11ad3fa6", 224, 232),
    ),
    "resnext101_32x8d": (
        ("8ba56ff5", 224, 256),
        ("110c445d", 224, 232),
    ),
    "resnext101_64x4d": (("173b62eb", 224, 232),),
    "resnext50_32x4d": (
        ("7cdf4587", 224, 256),
        ("1a0047aa", 224, 232),
    ),
    "shufflenet_v2_x0_5": (("f707e7126e", 224, 256),),
    "shufflenet_v2_x1_0": (("5666bf0f80", 224, 256),),
    "shufflenet_v2_x1_5": (("3c479a10", 224, 232),),
    "shufflenet_v2_x2_0": (("8be3c8ee", 224, 232),),
    "squeezenet1_0": (("b66bff10", 224, 256),),
    "squeezenet1_1": (("b8a52dc0", 224, 256),),
    "swin_b": (("68c6b09e", 224, 238, "bicubic"),),
    "swin_s": (("5e29d889", 224, 246, "bicubic"),),
    "swin_t": (("704ceda3", 224, 232, "bicubic"),),
    "swin_v2_b": (("781e5279", 256, 272, "bicubic"),),
    "swin_v2_s": (("637d8ceb", 256, 260, "bicubic"),),
    "swin_v2_t": (("b137f0e2", 256, 260, "bicubic"),),
    "vgg11": (("8a719046", 224, 256),),
    "vgg11_bn": (("6002323d", 224, 256),),
    "vgg13": (("19584684", 224, 256),),
    "vgg13_bn": (("abd245e5", 224, 256),),
    "vgg16": (("397923af", 224, 256),),
    "vgg16_bn": (("6c64b313", 224, 256),),
    "vgg19": (("dcbb9e9d", 224, 256),),
    "vgg19_bn": (("c79401a0", 224, 256),),
    "vit_b_16": (
        ("c867db91", 224, 256),
        ("9ac1b537", 384, 384, "bicubic"),
        ("4e70ced5", 224, 224, "bicubic"),
    ),
    "vit_b_32": (("d86f8d99", 224, 256),),
    "vit_h_14": (
        ("80465313", 518, 518, "bicubic"),
        ("c1eb923e", 224, 224, "bicubic"),
    ),
    "vit_l_16": (
        ("852ce7e3", 224, 242),
        ("4f3808c9", 512, 512, "bicubic"),
        ("4d563306", 224, 224, "bicubic"),
    ),
    "vit_l_32": (("c7638314", 224, 256),),
    "wide_resnet101_2": (
        ("32ee1156", 224, 256),
        ("d733dc28", 224, 232),
    ),
    "wide_resnet50_2": (
        ("95faca4d", 224, 256),
        ("9ba9bcbe", 224, 232),
    ),
}
