"""The sample project of images: a small network trained here on garments, an ImageNet network on photographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import JobFailed
from sensiview.locations import resources
from sensiview.models.card import ModelCard
from sensiview.running import new_analysis, new_training

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project

GARMENTS = "Fashion-MNIST, 3,500 garments"
PHOTOGRAPHS = "Four photographs"
# The sample's test images begin with one of each class, behind 3,000 training images.
_ONE_OF_EACH = "3000-3009"


@dataclass(frozen=True)
class _Size:
    """How large the sample project is; the small one takes a few minutes on two cores."""

    epochs: int
    swept: str  # images of the local sensitivity
    steps: int  # of activation maximisation
    window_step: int  # pixels from one occluding window to the next
    noisy: int  # copies of SmoothGrad
    way: int  # steps of integrated gradients
    curve: int  # points of deletion and insertion
    orders: int  # drawn at random beside the maps


_FULL = _Size(epochs=30, swept="3000-3099", steps=500, window_step=8, noisy=50, way=300, curve=20, orders=10)
_QUICK = _Size(epochs=12, swept=_ONE_OF_EACH, steps=300, window_step=16, noisy=20, way=150, curve=10, orders=3)
# The last layer before the class maps: a network without linear layers has one map for each class at its end.
_LAST_SHARED = "features.12"


def steps(project: Project, catalogue: Catalogue, quick: bool) -> Iterator[RunRecord]:
    """Train on garments, look into that network, then explain an ImageNet network on photographs, map beside map."""
    from sensiview.importing import add_images

    size = _QUICK if quick else _FULL
    folder = resources() / "samples" / "images"
    present = {source.card.name for source in project.datasets()}
    if GARMENTS not in present:
        add_images(project, [folder / "garments.npz"], name=GARMENTS, copy=True)
    if PHOTOGRAPHS not in present:
        add_images(project, [folder / "photographs"], name=PHOTOGRAPHS, copy=True)
    yield from _garments(project, catalogue, size)
    card = ModelCard.model_validate_json((folder / "squeezenet1_1.json").read_text(encoding="utf-8"))
    network = project.add_model(card, weights=folder / "squeezenet1_1.safetensors").id
    yield from _photographs(project, catalogue, size, network)


def _garments(project: Project, catalogue: Catalogue, size: _Size) -> Iterator[RunRecord]:
    training = new_training(
        project, "lenet", dataset=GARMENTS, name="garment network",
        options={"filters": [16, 32, 64], "padding": [2, 2, 2]},
        recipe={"epochs": size.epochs, "train_rows": "split=train", "test_rows": "split=test"},
    )  # fmt: skip
    yield training
    model = project.run(training.id).model
    if model is None:
        raise JobFailed(f"The training did not end with a model: {project.run(training.id).message}")

    def analysis(key: str, name: str, **parameters: Any) -> RunRecord:
        return new_analysis(project, catalogue, key, dataset=GARMENTS, model=model, name=name, parameters=parameters)

    yield analysis("classification", "Which garments are recognised", images="split=test")
    yield analysis(
        "local_sensitivity", "What each block reacts to", images=size.swept, perturbation="derivative", average=True,
    )  # fmt: skip
    climb = {"steps": size.steps, "normalise": True, "step_size": 0.02, "tv_weight": 1.0, "jitter": 1}
    yield analysis("activation_maximization", "What each class looks for", start="noise", **climb)
    yield analysis(
        "activation_maximization", "Every garment changed into every other", start="cross", images=_ONE_OF_EACH, **climb
    )
    yield analysis(
        "occlusion", "What each garment is recognised by", images=_ONE_OF_EACH, target="true", window=6, stride=2,
    )  # fmt: skip


def _photographs(project: Project, catalogue: Catalogue, size: _Size, network: str) -> Iterator[RunRecord]:
    def analysis(key: str, name: str, **parameters: Any) -> RunRecord:
        return new_analysis(
            project, catalogue, key, dataset=PHOTOGRAPHS, model=network, name=name, parameters=parameters
        )

    maps = [
        analysis("grad_cam", "Grad-CAM", layer=_LAST_SHARED),
        analysis("grad_cam_pp", "Grad-CAM++", layer=_LAST_SHARED),
        analysis("saliency", "Saliency, smoothed", samples=size.noisy),
        analysis("integrated_gradients", "Integrated gradients", steps=size.way),
        analysis("occlusion", "Occlusion", window=32, stride=size.window_step),
    ]
    yield from maps
    yield analysis(
        "comparison", "Five maps side by side", runs=[run.id for run in maps], cell=16, steps=size.curve,
        orders=size.orders,
    )  # fmt: skip
    yield analysis(
        "sanity", "Can Grad-CAM be trusted?", runs=[maps[0].id], cell=16, steps=size.curve,
    )  # fmt: skip
