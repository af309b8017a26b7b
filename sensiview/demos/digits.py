"""The sample project of biased digits: networks that learned to cheat, and a screening that finds out with what."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import JobFailed
from sensiview.preparing import new_preparation
from sensiview.running import new_analysis, new_training

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project

# How biased all three factors are, as in the study (MoSIP, section 4), and those whose accuracy is watched.
P_CORR = (0.5, 0.6, 0.7, 0.8)
_WATCHED = (P_CORR[0], P_CORR[-1])
# One more network learns from digits of which a single factor is biased more than the others.
ALONE, _ALONE_P, _OTHERS_P = "background_colour", 0.9, 0.3


@dataclass(frozen=True)
class _Size:
    """How large the sample project is; the small one takes some minutes on two cores."""

    drawings: int  # of each glyph, to learn from
    epochs: int
    screened: int  # test images
    redrawn: int  # times that factors of an image are drawn anew
    mnist: bool  # where the user has it


_FULL = _Size(drawings=4, epochs=20, screened=359, redrawn=100, mnist=True)
_QUICK = _Size(drawings=2, epochs=12, screened=60, redrawn=25, mnist=False)
# Of MNIST's 60,000 digits and 10,000 test digits, each drawn once.
_MNIST = {"drawings": 1, "train": 8000, "test": 1000}
# As in the study: 100 trajectories on 20 levels, every output. Probabilities, as networks are compared.
_SCREENING = {
    "partition": "generator", "generator": "biased_digits", "n": 100, "levels": 20, "target": "all",
    "output": "probability",
}  # fmt: skip


def steps(project: Project, catalogue: Catalogue, quick: bool) -> Iterator[RunRecord]:
    """Digits of growing bias, a network for each, what it cheats with; one more whose answer is known beforehand."""
    sample = _Digits(project, catalogue, _QUICK if quick else _FULL)
    screenings = []
    for p in P_CORR:
        screening = yield from sample.cheat(f"p {p:g}", {"p_corr": p}, watched=p in _WATCHED)
        screenings.append(screening.id)
    yield new_analysis(
        project, catalogue, "screening_trend", dataset=_dataset(f"p {P_CORR[0]:g}"),
        name="With what networks cheat as the bias grows",
        parameters={"runs": screenings, "quantity": "p_corr"},
    )  # fmt: skip
    name = f"background {_ALONE_P:g}"
    alone = yield from sample.cheat(name, {"p_corr": _OTHERS_P, ALONE: _ALONE_P}, watched=False)
    yield new_analysis(
        project, catalogue, "screening_trend", dataset=_dataset(name), name=f"{name}: with what it cheats",
        parameters={
            "runs": [screenings[0], alone.id], "numbers": [P_CORR[0], _ALONE_P], "quantity": "p_corr of the background",
        },
    )  # fmt: skip


@dataclass(frozen=True)
class _Digits:
    project: Project
    catalogue: Catalogue
    size: _Size

    def cheat(self, name: str, bias: dict[str, float], *, watched: bool) -> Generator[RunRecord, None, RunRecord]:
        """Make digits, train a network on them, screen it; with `watched` also redraw what the screening ranks."""
        dataset = _dataset(name)
        yield new_preparation(
            self.project, "biased_digits", name=f"{name} drawing",
            parameters={"name": dataset, **bias, **self._glyphs()},
        )  # fmt: skip
        training = new_training(
            self.project, "biased_digits_cnn", dataset=dataset, name=f"{name} network",
            recipe={"epochs": self.size.epochs, "train_rows": "split=train", "test_rows": "split=test"},
        )  # fmt: skip
        yield training
        model = self.project.run(training.id).model
        if model is None:
            raise JobFailed(f"The training did not end with a model: {self.project.run(training.id).message}")

        def analysis(key: str, title: str, **parameters: Any) -> RunRecord:
            return new_analysis(
                self.project, self.catalogue, key, dataset=dataset, model=model, name=f"{name} {title}",
                parameters=parameters,
            )  # fmt: skip

        screening = analysis("morris", "screening", images=self._screened(dataset), **_SCREENING)
        yield screening
        if watched:
            yield analysis("classification", "digits without bias", images="split=unbiased")
            yield analysis(
                "masking_validation", "factors drawn anew", runs=[screening.id], by="mu_star", repeats=self.size.redrawn
            )
        return screening

    def _glyphs(self) -> dict[str, Any]:
        """Return which digits are drawn: MNIST's where the user has them and time does not matter."""
        from sensiview.datasets.digit_glyphs import has_mnist, mnist_folder

        if self.size.mnist and has_mnist(mnist_folder()):
            return {"mnist": str(mnist_folder()), **_MNIST}
        return {"drawings": self.size.drawings}

    def _screened(self, dataset: str) -> str:
        """Return the first test images as a range."""
        from sensiview.datasets.image_opening import open_images

        places = open_images(self.project.dataset(dataset)).select("split=test")[: self.size.screened]
        return f"{places[0]}-{places[-1]}"


def _dataset(name: str) -> str:
    return f"Digits {name}"
