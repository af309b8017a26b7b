"""The house rule on module length: 80-250 lines are aimed at, above 300 is argued here, above 500 refused."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Path below the checkout -> why it is one module although it has more than 300 lines.
ARGUED: dict[str, str] = {
    "sensiview/gui/session.py": "the one object that panes share; runs and queue are split off already",
    "sensiview/gui/viewer/workbench.py": "one page: its panels are modules of their own, what is left is their wiring",
    "sensiview/methods/sobol.py": "one analysis is one file; the engine lies in numerics already",
    "sensiview/methods/feature_subset.py": "one analysis is one file; what it shares lies in numerics already",
    "sensiview/methods/first_layer_sensitivity.py": "one analysis is one file; what it shares lies in numerics already",
}


def _lengths() -> dict[str, int]:
    files = [*ROOT.glob("sensiview/**/*.py"), *ROOT.glob("plugins/**/*.py")]
    return {str(f.relative_to(ROOT)): len(f.read_text(encoding="utf-8").splitlines()) for f in files}


def test_that_no_module_has_more_than_500_lines() -> None:
    assert {name: n for name, n in _lengths().items() if n > 500} == {}


def test_that_a_module_above_300_lines_has_an_argument() -> None:
    assert {name: n for name, n in _lengths().items() if n > 300 and name not in ARGUED} == {}


def test_that_no_argument_outlives_its_module() -> None:
    lengths = _lengths()
    assert [name for name in ARGUED if lengths.get(name, 0) <= 300] == []
