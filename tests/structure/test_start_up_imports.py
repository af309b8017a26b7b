"""What must not be loaded before it is needed: the window opens within a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "scipy", "SALib", "pyqtgraph", "napari", "nibabel", "xarray")


def _loaded_by(statement: str) -> list[str]:
    program = f"import sys\n{statement}\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return run.stdout.split()


@pytest.mark.parametrize(
    "statement",
    [
        "import sensiview",
        "import sensiview.assembly",
        "import sensiview.command_line.parser",
        "from sensiview.components import bundled; bundled()",
        "import sensiview.gui.start, sensiview.gui.main_window",
        "import sensiview.projects.store, sensiview.jobs.supervisor, sensiview.running",
        "from sensiview.plugin_loading import discover; discover()",
    ],
)
def test_that_no_heavy_package_is_loaded_by(statement: str) -> None:
    assert _loaded_by(statement) == []
