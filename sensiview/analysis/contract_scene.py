"""Where the contract checks watch an analysis: an example whose network is seen from outside; see `contract_checks`."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.contract import Analysis, Example
from sensiview.analysis.item_plain import bulk_of, to_plain
from sensiview.analysis.items import Array, Item
from sensiview.analysis.progress import Progress, Silent
from sensiview.analysis.result import Result

if TYPE_CHECKING:
    from torch import nn

    from sensiview.models.network import Network

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class ContractBroken(AssertionError):
    """An analysis does not keep a promise; the sentence says which."""


def demand(kept: bool, sentence: str) -> None:
    """Raise `ContractBroken` unless `kept`."""
    if not kept:
        raise ContractBroken(f"{sentence}.")


class Deliberate(Exception):
    """Raised by the checks, and by nothing else."""


class Watched(Silent):
    """Calls a function at every word of the analysis; what it raises reaches the analysis."""

    def __init__(self, at: Callable[[str], None]) -> None:
        super().__init__()
        self._at = at

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage began."""
        self._at("stage")

    def advance(self, done: int) -> None:
        """Evaluations were done."""
        self._at("advance" if done else "nothing")

    def warn(self, sentence: str) -> None:
        """Something was said."""
        super().warn(sentence)
        self._at("warn")

    def preview(self, name: str, item: Item) -> None:
        """Something was shown: it must be able to travel."""
        json.dumps(to_plain(item), allow_nan=False)
        self._at("preview")


def variants(analysis: Analysis[Any]) -> dict[str, Analysis[Any]]:
    """Return an analysis once per example, each with that example alone; by the kind of data where there are several.

    Every example is made anew whenever it is asked for, so that what one run leaves behind is not seen by the next.
    """
    found: dict[str, Analysis[Any]] = {}
    for place, example in enumerate(analysis.examples()):
        one = copy.copy(analysis)
        kind = example.study.dataset.kind if example.study.dataset is not None else "none"
        vars(one).update(example=partial(_example_of, analysis, place), examples=analysis.examples)
        found[f"{kind}-{place}" if kind in found else kind] = one
    return found


def _example_of(analysis: Analysis[Any], place: int) -> Example[Any]:
    return analysis.examples()[place]


class Scene:
    """An example with one network that can be watched from outside.

    The module stands in training mode, its first part in eval mode: an analysis must work all the same, and leave
    every flag as it was.
    """

    def __init__(self, analysis: Analysis[Any], *, batch_size: int | None = None) -> None:
        import torch

        self.analysis = analysis
        self.example: Example[Any] = analysis.example()
        self.network: Network | None = None
        self.rows = 0
        self.on_forward: Callable[[], None] = lambda: None
        study = replace(self.example.study, batch_size=batch_size)
        if study.network_loader is not None:
            network = study.network()
            module = network.module
            module.train()
            next(iter(module.children()), module).eval()
            module.register_forward_pre_hook(self._count)
            for parameter in module.parameters():
                parameter.grad = torch.ones_like(parameter)
            self.network = network
            study = replace(study, network_loader=lambda: network)
        self.study = study

    def run(self, progress: Progress | None = None) -> Result:
        """Run the analysis on its example."""
        return self.analysis.run(self.study, self.example.parameters, progress or Silent())

    def _count(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:
        shape = self.network.card.input_shape if self.network else ()
        first = arguments[0] if arguments else None
        # Under torch.func the batch axis is hidden.
        if first is not None and first.dim() == len(shape) + 1:
            self.rows += int(first.shape[0])
        self.on_forward()

    def state(self) -> dict[str, Any]:
        """Everything that must be the same afterwards."""
        import torch

        found: dict[str, Any] = {
            "the random state of torch": torch.get_rng_state().numpy().tobytes(),
            "the random state of numpy": repr(np.random.get_state()),
            "the random state of Python": random.getstate(),
            "the grad mode": torch.is_grad_enabled(),
            "the default dtype": torch.get_default_dtype(),
            "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
            "the error state of numpy": np.geterr(),
        }
        if self.network is not None:
            for name, tensor in self.network.module.state_dict().items():
                found[f"the weight '{name}'"] = (str(tensor.dtype), tensor.detach().cpu().numpy().tobytes())
            for name, parameter in self.network.module.named_parameters():
                grad = None if parameter.grad is None else parameter.grad.cpu().numpy().tobytes()
                found[f"gradient and requires_grad of '{name}'"] = (parameter.requires_grad, grad)
            for name, part in self.network.module.named_modules():
                found[f"the train/eval flag of '{name or 'the module'}'"] = part.training
                hooks = {table: list(getattr(part, table, None) or ()) for table in _HOOKS}
                found[f"the hooks of '{name or 'the module'}'"] = hooks
        return found

    def demand_unchanged(self, before: Mapping[str, Any], when: str) -> None:
        """Compare with the state before."""
        now = self.state()
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        demand(not changed, f"{when}, this is not as it was before: {', '.join(changed)}")


# Comparing ------------------------------------------------------------------------------------------------------


def demand_equal_results(one: Result, other: Result, when: str, *, tolerance: float) -> None:
    """Compare every item, in order; `tolerance` is relative to the largest value of each column."""
    demand(list(one) == list(other), f"other items {when}: {list(one)} and {list(other)}")
    for name, item in one.items():
        demand_equal(name, item, other[name], when, tolerance=tolerance)


def demand_equal(name: str, one: Item, other: Item, when: str, *, tolerance: float) -> None:
    """Compare two items; tolerance 0 wants the same bits, missing values included."""
    mine, its = bulk_of(one), bulk_of(other)
    demand(type(one) is type(other) and mine.keys() == its.keys(), f"'{name}' is another kind of item {when}")
    for part in mine:
        if part != "frame":
            _demand_close(f"'{name}'", mine[part], its[part], when, tolerance)
            continue
        demand(list(mine[part].columns) == list(its[part].columns), f"'{name}' has other columns {when}")
        for column in mine[part].columns:
            where = f"column '{column}' of '{name}'"
            _demand_close(where, mine[part][column].to_numpy(), its[part][column].to_numpy(), when, tolerance)


def _demand_close(where: str, one: Array, other: Array, when: str, tolerance: float) -> None:
    demand(one.shape == other.shape and one.dtype == other.dtype, f"{where} has another shape or type {when}")
    if one.dtype.kind not in "fc":
        same = all(a is b or a == b or (a != a and b != b) for a, b in zip(one.ravel(), other.ravel(), strict=True))
        demand(same, f"{where} is different {when}")
        return
    finite = np.abs(one[np.isfinite(one)])
    # Relative to the column: an index of exactly zero has no relative error of its own.
    scale = float(finite.max(initial=0.0))
    if not np.allclose(one, other, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
        worst = float(np.nanmax(np.abs(one - other)))
        raise ContractBroken(f"{where} differs {when}, by up to {worst:.3g} where values reach {scale:.3g}.")
