"""What every analysis promises, as checks: ours run them over everything found, a plugin author over one.

`check_all` runs them on every example of an analysis; a check that fails raises `ContractBroken` with a sentence on
what to mend. Each check works on ``analysis.example()``: `variants` gives an analysis once for each of its examples.
Those that run it lie in `sensiview.analysis.contract_runs`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sensiview.analysis.contract import Analysis
from sensiview.analysis.contract_runs import (
    check_batch_size_does_not_change_the_numbers,
    check_cancel_is_obeyed_within_one_batch,
    check_cost_fits_what_is_evaluated,
    check_everything_is_as_before_after_a_cancel,
    check_everything_is_as_before_after_a_run,
    check_everything_is_as_before_after_an_error,
    check_example_runs_in_seconds,
    check_items_can_be_written_and_read,
    check_items_have_axes_and_units,
    check_same_seed_gives_the_same_numbers,
)
from sensiview.analysis.contract_scene import ContractBroken, demand, variants
from sensiview.analysis.parameters import Parameters
from sensiview.analysis.study import Study

__all__ = ["CHECKS", "ContractBroken", "check_all", "variants"]

Check = Callable[[Analysis[Any]], None]
_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_KINDS = {"table", "images", "volumes"}


def check_names(analysis: Analysis[Any]) -> None:
    """Key in snake_case, a title, a revision, known kinds of data, extendable parameters that exist."""
    demand(_KEY.fullmatch(analysis.key) is not None, f"the key '{analysis.key}' is not snake_case")
    demand(bool(analysis.title.strip()), "the title is empty")
    demand(isinstance(analysis.revision, int) and analysis.revision >= 1, "the revision must be 1 or larger")
    demand(bool(analysis.accepts) and set(analysis.accepts) <= _KINDS, f"'accepts' must be among {sorted(_KINDS)}")
    unknown = set(analysis.extendable) - set(analysis.Parameters.model_fields)
    demand(not unknown, f"extendable names parameters that do not exist: {sorted(unknown)}")


def check_docstring(analysis: Analysis[Any]) -> None:
    """A docstring of its own: the first line a sentence for menus, then how to read the result."""
    own = type(analysis).__doc__
    demand(bool(own and own.strip()), "the class has no docstring; it is the help page")
    lines = inspect.cleandoc(own or "").splitlines()
    first = lines[0] if lines else ""
    demand(first.endswith(".") and first[:1].isupper(), f"the docstring's first line is no sentence: '{first}'")
    demand(len(first) <= 120, "the docstring's first line is too long for a menu (120 characters)")
    demand(
        len(lines) > 2 and not lines[1].strip(), "after the first line the docstring must say how to read the result"
    )


def check_parameters(analysis: Analysis[Any]) -> None:
    """Frozen, defaults for everything, a label and a help sentence each."""
    declared = analysis.Parameters
    demand(issubclass(declared, Parameters), "'Parameters' must derive from sensiview.analysis.parameters.Parameters")
    demand(bool(declared.model_config.get("frozen")), "the parameters must be frozen")
    demand(declared.model_config.get("extra") == "forbid", "the parameters must refuse unknown names")
    for name, field in declared.model_fields.items():
        demand(_KEY.fullmatch(name) is not None, f"the parameter '{name}' is not snake_case")
        demand(not field.is_required(), f"the parameter '{name}' has no default")
        demand(bool(field.title and field.title.strip()), f"the parameter '{name}' has no label")
        said = (field.description or "").strip()
        demand(said.endswith((".", ")", "?")), f"the help of the parameter '{name}' is no sentence: '{said}'")


def check_schema(analysis: Analysis[Any]) -> None:
    """JSON schema with every parameter; values survive JSON."""
    schema = analysis.Parameters.model_json_schema()
    json.dumps(schema, allow_nan=False)
    missing = set(analysis.Parameters.model_fields) - set(schema.get("properties", {}))
    demand(not missing, f"the JSON schema lacks {sorted(missing)}")
    for chosen in (analysis.Parameters(), analysis.example().parameters):
        plain = json.loads(json.dumps(chosen.to_json(), allow_nan=False))
        again = analysis.Parameters.parse(plain)
        demand(again == chosen, f"the parameters change on their way through JSON: {chosen} becomes {again}")


def check_obstacles(analysis: Analysis[Any]) -> None:
    """Sentences on an empty study, none on the example."""
    said = analysis.obstacles(Study())
    demand(bool(said), "obstacles() must say what an empty study lacks")
    for sentence in said:
        demand(sentence[:1].isupper() and sentence.endswith("."), f"an obstacle is no sentence: '{sentence}'")
    example = analysis.example()
    cards = _cards_of(example.study)
    demand(not analysis.obstacles(cards), f"its own example is refused: {analysis.obstacles(cards)}")
    found = analysis.problems(cards, example.parameters)
    demand(not found, f"its own example's parameters are refused: {found}")


def check_examples(analysis: Analysis[Any]) -> None:
    """One example for every kind of data that is accepted, the first of them what `example` gives."""
    kinds = [example.study.dataset.kind for example in analysis.examples() if example.study.dataset is not None]
    lacking = sorted(set(analysis.accepts) - set(kinds))
    demand(not lacking, f"examples() has none for {' and '.join(lacking)}")
    first = analysis.example().study.dataset
    demand(first is not None and (first.kind in kinds), "example() must be one of examples()")


def _cards_of(study: Study) -> Study:
    return replace(study, table_loader=None, volumes_loader=None, images_loader=None, network_loader=None)


def check_cost_is_known_from_the_cards(analysis: Analysis[Any]) -> None:
    """Cost without opening data or model, also on an empty study."""
    example = analysis.example()
    cards = _cards_of(example.study)
    cost = analysis.cost(cards, example.parameters)
    least = 1 if analysis.needs_model else 0
    demand(cost.evaluations >= least, f"cost() gives {cost.evaluations} evaluations")
    demand(cost.peak_bytes > 0, "cost() gives no peak memory")
    analysis.cost(Study(), analysis.Parameters())


CHECKS: tuple[Check, ...] = (
    check_names,
    check_docstring,
    check_parameters,
    check_schema,
    check_obstacles,
    check_examples,
    check_cost_is_known_from_the_cards,
    check_example_runs_in_seconds,
    check_items_have_axes_and_units,
    check_items_can_be_written_and_read,
    check_cost_fits_what_is_evaluated,
    check_same_seed_gives_the_same_numbers,
    check_batch_size_does_not_change_the_numbers,
    check_everything_is_as_before_after_a_run,
    check_everything_is_as_before_after_a_cancel,
    check_everything_is_as_before_after_an_error,
    check_cancel_is_obeyed_within_one_batch,
)


def check_all(analysis: Analysis[Any]) -> None:
    """Run every check on every example.

    Raises
    ------
    ContractBroken
        At the first promise that is not kept.
    """
    for one in variants(analysis).values():
        for check in CHECKS:
            check(one)
