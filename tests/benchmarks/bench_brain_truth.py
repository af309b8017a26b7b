"""Do masks find what was planted? Ten simulated cohorts, each with a loss elsewhere, on both sides.

Each cohort is simulated, a network is trained on three quarters of it, and a group mask (defaults), Grad-CAM and
occlusion by region are made of patients it has not seen. Told per kind of map: in how many cohorts a planted region
leads the table, in how many both sides are the first two, and how much of the map lies in them (dilated by one voxel).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness import Benchmark, measure

# Large enough to have ten voxels at 6 mm.
PLANTED = (
    "Hippocampus", "Putamen", "Insula", "Fusiform gyrus", "Precuneus", "Thalamus", "Lingual gyrus",
    "Superior temporal gyrus", "Posterior cingulate cortex", "Lateral orbitofrontal cortex",
)  # fmt: skip
SUBJECTS, SPACING, PATIENTS = 200, 6.0, 24
# Left and right are exchanged at random: without, networks of so few subjects learn them by heart.
RECIPE = {"epochs": 40, "augmentation": "flip"}


def _finish(project: Any, run: Any, catalogue: Any, architectures: Any) -> Any:
    from sensiview.jobs.execution import execute
    from sensiview.running import record_event, task_for

    execute(
        task_for(project, run.id), catalogue, lambda event: record_event(project, run.id, event), lambda: False,
        architectures=architectures,
    )  # fmt: skip
    done = project.run(run.id)
    if done.state != "succeeded":
        raise RuntimeError(f"{done.name}: {done.message}")
    return done


def one_cohort(region: str, seed: int) -> dict[str, Any]:
    """Simulate, train, explain; ranks and shares of the planted regions per kind of map."""
    from sensiview.cross_validation import new_cross_validation
    from sensiview.datasets.volume_opening import open_volumes
    from sensiview.plugin_loading import discover, discover_architectures
    from sensiview.preparing import new_preparation
    from sensiview.projects.store import Project
    from sensiview.running import new_analysis
    from sensiview.studies import read_result

    catalogue, architectures = discover(), discover_architectures
    regions = [f"{region} L", f"{region} R"]
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "t.sensiview", title="t") as project:
        settings = {"name": "c", "subjects": SUBJECTS, "spacing": SPACING, "regions": regions}
        _finish(
            project, new_preparation(project, "simulation", parameters=settings, seed=seed), catalogue, architectures
        )
        training = new_cross_validation(project, "cnn3d", folds=4, seed=seed, recipe=RECIPE)[0]
        model = _finish(project, training, catalogue, architectures).model
        card = project.model(model).card
        volumes = open_volumes(project.datasets()[0])
        ill = list(volumes.card.class_counts).index("patient")
        test = set(card.training["test"])
        names = [n for n, c in zip(volumes.names, volumes.labels(), strict=True) if c == ill and n in test][:PATIENTS]
        made = {}
        for key, more in (
            ("mask_optimization", {"group": True}),
            ("grad_cam", {"average": True}),
            ("occlusion", {"mode": "regions", "fill": "one", "average": True}),
        ):
            run = new_analysis(project, catalogue, key, model=model, parameters={"subjects": names, **more})
            made[key] = _finish(project, run, catalogue, architectures).id
        run = new_analysis(
            project, catalogue, "known_regions", parameters={"runs": list(made.values()), "regions": regions}
        )
        result = read_result(project, _finish(project, run, catalogue, architectures).id)
        shares = result["shares"].to_frame()  # type: ignore[attr-defined]
        told = shares.to_dict("records")
        return {
            "region": region,
            "accuracy": card.accuracy["balanced test"],
            "maps": dict(zip(made, told, strict=True)),
        }


def prepare(count: int) -> Callable[[], list[dict[str, Any]]]:
    """Return the call over the first cohorts."""
    return lambda: [one_cohort(region, seed) for seed, region in enumerate(PLANTED[:count], start=1)]


def benchmarks() -> Iterator[Benchmark]:
    """Yield a line per kind of map."""
    began = time.perf_counter()
    found = measure(prepare, len(PLANTED)).value
    seconds = (time.perf_counter() - began) / len(found)
    for kind, title in (("mask_optimization", "mask"), ("grad_cam", "Grad-CAM"), ("occlusion", "occlusion by region")):
        maps = [cohort["maps"][kind] for cohort in found]
        leads = sum(int(m["best_rank"] == 1) for m in maps)
        both = sum(int(m["found"] == 1) for m in maps)
        shares = [float(m["share_dilated"]) for m in maps]
        accuracy = float(np.mean([cohort["accuracy"] for cohort in found]))
        yield Benchmark(
            name=(
                f"{title}: a planted region first in {leads} of {len(maps)} cohorts, both sides the first two in "
                f"{both}, share inside (dilated) "
                f"{min(shares):.2f} to {max(shares):.2f}, mean {np.mean(shares):.2f} (networks {accuracy:.2f})"
            ),
            ours_seconds=seconds,
            target="first in all, at least 0.5 inside" if kind == "mask_optimization" else "",
            met=kind != "mask_optimization" or (leads == len(maps) and both == len(maps) and min(shares) >= 0.5),
        )
