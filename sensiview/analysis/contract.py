"""The contract of an analysis: everything the form, the command line, the help and the checks follow from."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from sensiview.analysis.parameters import Parameters
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study

P = TypeVar("P", bound=Parameters)
DataKind = Literal["table", "images", "volumes"]


@dataclass(frozen=True)
class Cost:
    """What a run will take, known before it starts.

    `evaluations` rows through the model, `peak_bytes` of memory above what the program uses at rest,
    `steps` when the work is not evaluations (training epochs), with `seconds_per_step` if known.
    """

    evaluations: int
    peak_bytes: int
    note: str = ""
    other_seconds: float = 0.0


@dataclass(frozen=True)
class Example(Generic[P]):
    """A small study on which the analysis ends within seconds: help, tests and contract checks use it."""

    study: Study
    parameters: P


class Analysis(ABC, Generic[P]):
    """One analysis, one file.

    The docstring's first line is the menu and command line help; then how to read the result, when it
    misleads, and references.

    Attributes
    ----------
    key : str
        Name in commands and files, snake_case.
    title : str
        Name in menus.
    revision : int
        Rises when the same input gives other numbers.
    rank : int
        Place in menus and lists, lowest first; plugins come after ours unless they say otherwise.
    accepts : tuple of str
        Kinds of data set: ``table``, ``images``, ``volumes``.
    needs_model : bool
        False for analyses of the data alone.
    extendable : frozenset of str
        Parameters that may grow when a finished run is extended from its checkpoint.
    Parameters : type
        Frozen declaration of the parameters.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    revision: ClassVar[int] = 1
    rank: ClassVar[int] = 100
    accepts: ClassVar[tuple[DataKind, ...]] = ("table",)
    needs_model: ClassVar[bool] = True
    extendable: ClassVar[frozenset[str]] = frozenset()
    Parameters: ClassVar[type[Any]]

    def obstacles(self, study: Study) -> list[str]:
        """Return sentences why it can't run on this study now; empty when it can. Uses the cards only."""
        found = []
        if study.dataset is None:
            found.append("Choose a data set.")
        elif study.dataset.kind not in self.accepts:
            found.append(f"'{self.title}' works on {' or '.join(self.accepts)}, not on {study.dataset.kind}.")
        if self.needs_model and study.model is None:
            found.append("Choose a model.")
        if self.needs_model and study.model is not None and study.dataset is not None and study.dataset.kind == "table":
            wanted, offered = study.model.n_inputs, len(study.dataset.features)
            if wanted is not None and wanted != offered:
                found.append(
                    f"The model '{study.model.name}' takes {wanted} inputs, the table '{study.dataset.name}' "
                    f"has {offered} feature columns. Choose the target column, or another model."
                )
        return found

    def problems(self, study: Study, parameters: P) -> list[str]:
        """Return sentences about values that don't fit this study (unknown factor, reversed bounds)."""
        return []

    def against(self, study: Study, parameters: P) -> list[str]:
        """Return every sentence that keeps it from running: obstacles first, else misplaced and unfitting values."""
        if found := self.obstacles(study):
            return found
        misplaced = parameters.misplaced(study.dataset.kind) if study.dataset is not None else []
        return misplaced or self.problems(study, parameters)

    @abstractmethod
    def cost(self, study: Study, parameters: P) -> Cost:
        """Return evaluations and peak memory, from the cards only; called at every change of the form."""

    @abstractmethod
    def run(self, study: Study, parameters: P, progress: Progress) -> Result:
        """Compute. Leaves weights, hooks, train/eval flags, grad mode and random state as they were."""

    @abstractmethod
    def example(self) -> Example[P]:
        """Return a small study and parameters that finish in seconds on a CPU."""

    def examples(self) -> Sequence[Example[P]]:
        """Return an example for each kind of data that it works on, `example` first; override it with several kinds."""
        return (self.example(),)

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring: one sentence for menus and command line."""
        return (inspect.getdoc(cls) or cls.title).splitlines()[0]

    @classmethod
    def help_text(cls) -> str:
        """Return the whole docstring, plain text."""
        return inspect.getdoc(cls) or cls.title
