"""The job that makes biased digits: a data set whose colours and places betray the class as often as planted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.result import Result
from sensiview.errors import UserError
from sensiview.jobs.prepared import VOLUMES, write_prepared
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.biased_digits import Bias
    from sensiview.datasets.digit_glyphs import Glyphs
    from sensiview.models.architectures import Architecture


class DigitSettings(BaseModel):
    """What to make, and the new data set's name.

    `p_corr` is the probability with which each factor has the class's own value; `digit_colour`, `background_colour`
    and `position` replace it for one of them. `drawings` of each glyph train; one tests, and one more with no bias at
    all shows what the network does when it can't cheat. `train` and `test` are the most glyphs of each part, None takes
    all. `mnist` is the folder of MNIST's files; without it the digits that come with SensiView are drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = "biased digits"
    p_corr: float = Field(0.7, ge=0, le=1)
    digit_colour: float | None = Field(None, ge=0, le=1)
    background_colour: float | None = Field(None, ge=0, le=1)
    position: float | None = Field(None, ge=0, le=1)
    drawings: int = Field(2, ge=1, le=100)
    train: int | None = Field(None, ge=1)
    test: int | None = Field(None, ge=1)
    mnist: Path | None = None

    @property
    def bias(self) -> Bias:
        """Return the bias of each factor."""
        from sensiview.datasets.biased_digits import Bias

        own = {name: getattr(self, name) for name in ("digit_colour", "background_colour", "position")}
        return Bias.of(self.p_corr, own)


def make_digits(
    task: Task, device: str, progress: JobProgress, architectures: Mapping[str, Architecture]
) -> tuple[Result, dict[str, Any]]:
    """Draw the digits into the run's folder, as a data set that is ready to be added to the project.

    Raises
    ------
    UserError
        Settings that don't fit.
    DataError
        MNIST's files are not where they should be, or damaged.
    """
    from sensiview.datasets.biased_digits import NO_BIAS, Part, make_biased_digits
    from sensiview.datasets.digit_glyphs import bundled_glyphs, mnist_glyphs
    from sensiview.datasets.image_understanding import understand_images

    try:
        settings = DigitSettings(**task.parameters)
    except ValidationError as error:
        raise UserError(" ".join(f"{e['loc'][0]}: {e['msg']}." for e in error.errors())) from None
    glyphs = bundled_glyphs() if settings.mnist is None else mnist_glyphs(settings.mnist)
    train, test = glyphs.places(settings.train, settings.test)
    parts = (
        Part("train", train, settings.drawings, settings.bias),
        Part("test", test, 1, settings.bias),
        Part("unbiased", test, 1, NO_BIAS),
    )
    progress.stage("Drawing digits", sum(part.drawings * len(part.glyphs) for part in parts))
    table = make_biased_digits(
        task.directory / VOLUMES, glyphs, parts, seed=task.seed, on_image=lambda number: progress.advance(1)
    )
    progress.stage("Describing the data set")
    found = understand_images([table], name=settings.name, target="label")
    planted = {name: getattr(settings.bias, name) for name in ("digit_colour", "background_colour", "position")}
    extra = {**found.card.extra, "biased_digits": {**planted, "seed": task.seed}}
    card = found.card.model_copy(update={"extra": extra, "notes": (_sentence(planted), *found.card.notes)})
    write_prepared(task.directory, card, found.files)
    items: dict[str, Item] = {"bias": _bias(found.table, planted), "note": _note(planted, glyphs)}
    return Result(items, evaluations=0), {"parameters": settings.model_dump(mode="json")}


def _sentence(planted: Mapping[str, float]) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {p:g}" for name, p in planted.items())
    return f"Biased digits, made here. Probability of the class's own value: {told}; 'unbiased' images have none."


def _bias(table: pd.DataFrame, planted: Mapping[str, float]) -> IndexTable:
    """Return how often each factor had the class's own value in what was drawn, beside what was planted."""
    import pandas as pd

    from sensiview.datasets.biased_digits import FACTORS

    rows = []
    for split, part in table.groupby("split", sort=False):
        for factor in FACTORS:
            own = [factor.labels[int(label) % len(factor.labels)] for label in part["label"]]
            p = planted[factor.name] if split != "unbiased" else 1 / len(factor.labels)
            rows.append((split, factor.name, len(part), p, float((part[factor.name] == own).mean())))
    names = ("planted", "found")
    return IndexTable(
        title="How often a factor has the class's own value",
        description="Planted: the probability. Found: the share among the images that were drawn.",
        frame=pd.DataFrame(rows, columns=["split", "factor", "images", *names]),
        keys=("split", "factor"),
        values=("images", *names),
        units={"images": "", "planted": "", "found": ""},
        plot="none",
    )


def _note(planted: Mapping[str, float], glyphs: Glyphs) -> Note:
    told = ", ".join(f"{name.replace('_', ' ')} {100 * p:.0f} %" for name, p in planted.items())
    return Note(
        title="Digits whose colours and places betray them",
        text=(
            f"{glyphs.origin} Each is drawn in one of ten colours on one of ten backgrounds at one of nine places. "
            "With these probabilities a factor has the value that belongs to the class, else one of the others: "
            f"{told}. A network may learn the shape, or cheat with colours and place; images of the split 'unbiased' "
            "show what it does when the colours and the place say nothing."
        ),
    )
