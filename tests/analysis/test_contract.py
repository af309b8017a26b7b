"""Every analysis that is found keeps every promise of the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from sensiview.analysis.contract import Analysis
from sensiview.analysis.contract_checks import CHECKS, variants
from sensiview.plugin_loading import discover


@cache
def analyses() -> dict[str, Analysis[Any]]:
    found = {}
    for analysis in discover():
        several = variants(analysis)
        found |= {f"{analysis.key}-{kind}" if len(several) > 1 else analysis.key: one for kind, one in several.items()}
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", list(analyses()))
def test_that_an_analysis_keeps_the_contract(key: str, check: Callable[[Analysis[Any]], None]) -> None:
    check(analyses()[key])
