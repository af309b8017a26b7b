"""The sample projects: real data, a network trained here, and every analysis that fits, step by step.

A demo yields one queued run after the other and expects each to be finished before the next is asked for, so that
the command line runs it headless and the window runs it live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.analysis.catalogue import Catalogue
from sensiview.demos import brain, diabetes, digits, images
from sensiview.errors import UserError, os_reason, suggestion
from sensiview.locations import home

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


@dataclass(frozen=True)
class Demo:
    """A sample project: `steps(project, catalogue, quick)` yields its runs in order.

    `long` ones take many minutes in full size, so the window makes them in the quick one.
    """

    key: str
    title: str
    description: str
    steps: Callable[[Project, Catalogue, bool], Iterator[RunRecord]]
    long: bool = False


DEMOS: Mapping[str, Demo] = {
    "diabetes": Demo(
        key="diabetes",
        title="Diabetes: Sobol' indices of a small network",
        description="768 patients, 8 factors, one network; which factors its diagnosis rests on.",
        steps=diabetes.steps,
    ),
    "images": Demo(
        key="images",
        title="Images: what networks look at",
        description=(
            "3,500 garments and a small network trained on them: what its blocks react to and what each class looks "
            "for. Four photographs and a network trained on ImageNet: five kinds of maps, compared and checked."
        ),
        steps=images.steps,
        long=True,
    ),
    "digits": Demo(
        key="digits",
        title="Digits: what networks cheat with",
        description=(
            "Handwritten digits whose colours and place betray them more and more often, a network for each, and a "
            "screening that says which of these it cheats with."
        ),
        steps=digits.steps,
        long=True,
    ),
    "brain": Demo(
        key="brain",
        title="Brain: what a 3-D network rests on, where the answer is known",
        description=(
            "Simulated grey-matter maps (no patients): a loss planted in hippocampus and amygdala, cross-validated 3-D "
            "networks, optimised masks, their robustness, and how truthful every kind of map is."
        ),
        steps=brain.steps,
        long=True,
    ),
}


def find_demo(key: str) -> Demo:
    """Return a demo by name; UserError when there is none."""
    if key not in DEMOS:
        raise UserError(f"There is no sample project '{key}'.{suggestion(key, list(DEMOS))}")
    return DEMOS[key]


def demo_folder(wanted: Path | None, key: str) -> Path:
    """Return the folder of a new sample project, one that is not there yet.

    `wanted` is the project itself when it ends in ``.sensiview``, else the folder that receives
    ``diabetes.sensiview``; None takes the folder ``samples`` of the user's SensiView folder.
    """
    if wanted is not None and wanted.suffix == ".sensiview":
        if wanted.exists():
            raise UserError(f"{wanted} exists already. Choose another folder, or open it with: sensiview '{wanted}'")
        wanted.parent.mkdir(parents=True, exist_ok=True)
        return wanted
    parent = wanted if wanted is not None else home() / "samples"
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder '{parent}' for the sample project can't be made ({os_reason(error)}). Choose another "
            f"with 'sensiview demo {key} --to FOLDER', or name another folder of SensiView's in SENSIVIEW_HOME."
        ) from error
    folder = parent / f"{key}.sensiview"
    number = 2
    while folder.exists():
        folder = parent / f"{key} {number}.sensiview"
        number += 1
    return folder
