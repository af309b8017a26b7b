"""The contract checks catch every promise that is not kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sensiview.analysis import contract_checks, contract_runs
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.contract_checks import CHECKS, ContractBroken, check_all, variants
from sensiview.analysis.items import Curve, FieldMap, IndexTable, Item, Matrix, Remark
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.table import table_from_frame
from sensiview.errors import Stopped
from sensiview.models.network import network_from_module

Check = Callable[[Analysis[Any]], None]
ROWS = 100


def study() -> Study:
    rows = np.random.default_rng(1).normal(size=(ROWS, 2))
    table = table_from_frame(pd.DataFrame(rows, columns=["a", "b"]), name="t")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5))
    network = network_from_module(module, sample=rows[:2], name="n", device="cpu")
    return Study(dataset=table.card, model=network.card, table_loader=lambda: table, network_loader=lambda: network)


class MeanParameters(Parameters):
    rows: int = parameter(ROWS, label="Rows", help="How many rows.", ge=1)


class Mean(Analysis[MeanParameters]):
    """Averages the first output over the rows.

    Read it as the mean. It misleads when the mean says little.
    """

    key = "mean_output"
    title = "Mean"
    Parameters = MeanParameters

    def cost(self, study: Study, parameters: MeanParameters) -> Cost:
        return Cost(evaluations=parameters.rows, peak_bytes=1000)

    @contextmanager
    def watching(self, study: Study) -> Iterator[None]:
        with study.network().measuring():
            yield

    def said(self, progress: Progress, done: int) -> None:
        progress.advance(done)

    def forward(self, study: Study, rows: np.ndarray) -> np.ndarray:
        network = study.network()
        out = network.module(network.preprocess(torch.from_numpy(rows)))
        return out.double().numpy().astype(np.float64)

    def run(self, study: Study, parameters: MeanParameters, progress: Progress) -> Result:
        rows = study.table().features()[: parameters.rows]
        progress.stage("Averaging", len(rows))
        outputs = []
        size = study.batch_size or 32
        with self.watching(study):
            for first in range(0, len(rows), size):
                outputs.append(self.forward(study, rows[first : first + size]))
                self.said(progress, len(outputs[-1]))
        mean = np.concatenate(outputs).mean(axis=0)
        frame = pd.DataFrame({"output": ["x", "y", "z"], "mean": mean})
        return Result({"mean": self.item(frame)}, evaluations=len(rows))

    def item(self, frame: pd.DataFrame) -> Item:
        return IndexTable(
            title="Mean", description="A mean.", frame=frame, keys=("output",), values=("mean",), units={"mean": ""}
        )

    def example(self) -> Example[MeanParameters]:
        return Example(study(), MeanParameters())


def test_that_an_analysis_that_keeps_its_promises_passes_every_check() -> None:
    check_all(Mean())


def test_that_no_check_is_forgotten() -> None:
    defined = {
        value
        for module in (contract_checks, contract_runs)
        for name, value in vars(module).items()
        if name.startswith("check_") and name != "check_all"
    }
    assert set(CHECKS) == defined


def broken_by(check: str, analysis: Analysis[Any]) -> str:
    function: Check = next(one for one in CHECKS if one.__name__ == check)
    with pytest.raises(ContractBroken) as caught:
        function(analysis)
    return str(caught.value)


def test_that_a_key_in_capitals_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        key = "MeanOutput"

    assert "not snake_case" in broken_by("check_names", Broken())
    assert "how to read the result" in broken_by("check_docstring", Broken())


def test_that_a_missing_docstring_is_caught() -> None:
    class Broken(Mean):
        pass

    assert "no docstring" in broken_by("check_docstring", Broken())


def test_that_a_parameter_without_help_is_caught() -> None:
    class Silent(Parameters):
        n: int = 3

    class Broken(Mean):
        """Averages."""

        Parameters = Silent

    assert "'n' has no label" in broken_by("check_parameters", Broken())


def test_that_wrong_extendable_names_are_caught() -> None:
    class Broken(Mean):
        """Averages."""

        extendable = frozenset({"n"})

    assert "do not exist: ['n']" in broken_by("check_names", Broken())


def test_that_a_kind_of_data_without_an_example_is_caught_and_every_example_is_checked() -> None:
    class Broken(Mean):
        """Averages."""

        accepts = ("table", "images")

    assert "none for images" in broken_by("check_examples", Broken())

    class Two(Mean):
        """Averages rows of two studies.

        Read it as the mean.
        """

        def examples(self) -> tuple[Example[MeanParameters], ...]:
            return self.example(), Example(study(), MeanParameters(rows=10))

        def cost(self, study: Study, parameters: MeanParameters) -> Cost:
            return Cost(evaluations=ROWS, peak_bytes=1000)

    both = variants(Two())
    assert [one.example().parameters.rows for one in both.values()] == [ROWS, 10]
    with pytest.raises(ContractBroken, match=f"announces {ROWS} evaluations, the run counts 10"):
        check_all(Two())


def test_that_silence_about_an_empty_study_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def obstacles(self, study: Study) -> list[str]:
            return []

    assert "empty study" in broken_by("check_obstacles", Broken())


@pytest.mark.parametrize("evaluations, check", [(0, "is_known_from_the_cards"), (50, "fits_what_is_evaluated")])
def test_that_a_wrong_cost_is_caught(evaluations: int, check: str) -> None:
    class Broken(Mean):
        """Averages."""

        def cost(self, study: Study, parameters: MeanParameters) -> Cost:
            return Cost(evaluations, peak_bytes=1)

    assert f"{evaluations} evaluations" in broken_by(f"check_cost_{check}", Broken())


def _table(frame: pd.DataFrame, **changes: Any) -> IndexTable:
    given: dict[str, Any] = {"keys": ("output",), "values": ("mean",), "units": {"mean": ""}}
    return IndexTable(title="t", description="d", frame=frame, **(given | changes))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda f: _table(f, units={}), "no unit for ['mean']"),
        (lambda f: _table(f, keys=("factor",)), "columns that it has not: ['factor']"),
        (lambda f: _table(f, remarks=(Remark(9, "mean", "k", "s"),)), "remarks on rows"),
        (lambda f: IndexTable(title="t", frame=f, keys=(), values=()), "does not describe"),
        (lambda f: Curve(title="t", description="d", frame=f, x="mean", y=()), "no unit for ['mean']"),
        (lambda f: FieldMap(title="t", description="d", values=np.zeros((2, 2)), axes=("x",)), "must name 2 axes"),
        (
            lambda f: Matrix(title="t", description="d", values=np.zeros((2, 2)), rows=("a",), columns=("b", "c")),
            "other labels",
        ),
    ],
)
def test_that_items_without_axes_and_units_are_caught(make: Callable[[pd.DataFrame], Item], words: str) -> None:
    class Broken(Mean):
        """Averages."""

        def item(self, frame: pd.DataFrame) -> Item:
            return make(frame)

    assert words in broken_by("check_items_have_axes_and_units", Broken())


def test_that_numbers_from_the_global_random_state_are_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def forward(self, study: Study, rows: np.ndarray) -> np.ndarray:
            return super().forward(study, rows) + np.random.normal()

    assert "second run with the same seed" in broken_by("check_same_seed_gives_the_same_numbers", Broken())


def test_that_a_dependence_on_the_batch_size_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def forward(self, study: Study, rows: np.ndarray) -> np.ndarray:
            return super().forward(study, rows) + len(rows)

    assert "another batch size" in broken_by("check_batch_size_does_not_change_the_numbers", Broken())


def test_that_a_network_left_in_another_mode_is_caught_after_run_cancel_and_error() -> None:
    class Broken(Mean):
        """Averages."""

        @contextmanager
        def watching(self, study: Study) -> Iterator[None]:
            study.network().module.eval()
            with torch.no_grad():
                yield

    for when in ("a_run", "a_cancel", "an_error"):
        assert "train/eval flag" in broken_by(f"check_everything_is_as_before_after_{when}", Broken())


def test_that_an_update_of_batch_norm_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        @contextmanager
        def watching(self, study: Study) -> Iterator[None]:
            module = study.network().module
            flags = [part.training for part in module.modules()]
            module.train()
            with torch.no_grad():
                yield
            for part, flag in zip(module.modules(), flags, strict=True):
                part.training = flag

    said = broken_by("check_everything_is_as_before_after_a_run", Broken())
    assert "running_mean" in said
    assert "random state of torch" in said


def test_that_hooks_grad_mode_and_random_states_left_after_an_error_are_caught() -> None:
    class Broken(Mean):
        """Averages."""

        @contextmanager
        def watching(self, study: Study) -> Iterator[None]:
            handle = study.network().module.register_forward_hook(lambda *_: None)
            grad, legacy = torch.is_grad_enabled(), np.random.get_state()
            random.random()
            np.random.normal()
            with study.network().measuring():
                torch.set_grad_enabled(False)
                yield
            handle.remove()
            torch.set_grad_enabled(grad)
            np.random.set_state(legacy)

    try:
        said = broken_by("check_everything_is_as_before_after_an_error", Broken())
    finally:
        torch.set_grad_enabled(True)
    for words in ("hooks of 'the module'", "random state of numpy", "random state of Python"):
        assert words in said


def test_that_a_swallowed_cancel_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def said(self, progress: Progress, done: int) -> None:
            try:
                super().said(progress, done)
            except Stopped:
                return

    assert "swallowed" in broken_by("check_cancel_is_obeyed_within_one_batch", Broken())


def test_that_a_cancel_after_all_batches_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        waiting = 0

        def said(self, progress: Progress, done: int) -> None:
            self.waiting += done
            if self.waiting >= ROWS:
                super().said(progress, self.waiting)
                self.waiting = 0

    assert f"{ROWS} rows are evaluated without a word" in broken_by("check_cancel_is_obeyed_within_one_batch", Broken())


def test_that_an_analysis_that_never_advances_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def said(self, progress: Progress, done: int) -> None:
            return

        def example(self) -> Example[MeanParameters]:
            return Example(study(), MeanParameters(rows=10))

    assert "never called" in broken_by("check_cancel_is_obeyed_within_one_batch", Broken())


def test_that_a_swallowed_error_of_the_network_is_caught() -> None:
    class Broken(Mean):
        """Averages."""

        def forward(self, study: Study, rows: np.ndarray) -> np.ndarray:
            try:
                return super().forward(study, rows)
            except Exception:
                return np.zeros((len(rows), 3))

    assert "swallowed" in broken_by("check_everything_is_as_before_after_an_error", Broken())
