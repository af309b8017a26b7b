"""The program's own worker process: Sobol' indices of a trained network, killed on the way and resumed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_model_jobs import dataset, training
from test_supervisor import follow

from sensiview.analysis.item_files import read_items
from sensiview.analysis.items import Curve, IndexTable
from sensiview.analysis.sources import ModelSource
from sensiview.files import fingerprint
from sensiview.jobs import run_folder
from sensiview.jobs.events import Advanced, Checkpointed, Failed, Started, StoppedByUser, Succeeded
from sensiview.jobs.supervisor import Worker
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard

TABLES = ("first_total", "second_order", "convergence")


def tables_of(directory: Path) -> dict[str, pd.DataFrame]:
    items = read_items(directory)
    found = {}
    for name in TABLES:
        item = items[name]
        assert isinstance(item, IndexTable | Curve)
        found[name] = item.frame
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_sobol_indices_are_the_same_after_a_kill_a_cancel_and_an_extension(tmp_path: Path) -> None:
    source = dataset(tmp_path)
    worker = Worker()
    try:
        lesson = training(tmp_path, source, epochs=5)
        worker.submit(lesson)
        assert isinstance(follow(worker, limit=120)[-1], Succeeded)
        card = ModelCard.model_validate_json((lesson.directory / "model_card.json").read_text(encoding="utf-8"))
        model = ModelSource(id="m1", card=card, weights=fingerprint(lesson.directory / "model.safetensors"))

        def sobol(run: str, n: int = 8192, checkpoint: str = "") -> Task:
            return Task(
                kind="analysis",
                run=run,
                directory=tmp_path / run,
                analysis="sobol",
                parameters={"n": n, "resamples": 20},
                dataset=source,
                model=model,
                device="cpu",
                batch_size=64,
                checkpoint=tmp_path / checkpoint if checkpoint else None,
            )

        worker.submit(sobol("whole"))
        events = follow(worker, limit=120)
        assert isinstance(events[-1], Succeeded), events[-1]
        assert events[-1].evaluations == 8192 * 10
        whole = tables_of(tmp_path / "whole")
        record = run_folder.read_record(tmp_path / "whole")
        assert record["device_used"] == "cpu"
        assert record["facts"]["rows_per_second"] > 0
        assert set(record["fingerprints"]) == {"dataset", "model"}

        worker.submit(sobol("killed"))
        follow(worker, lambda event: isinstance(event, Checkpointed), limit=60)
        assert worker.process_id is not None
        os.kill(worker.process_id, signal.SIGKILL)
        assert isinstance(follow(worker)[-1], Failed)
        worker.submit(sobol("killed", checkpoint="killed"))
        resumed = follow(worker, limit=120)
        assert isinstance(resumed[-1], Succeeded), resumed[-1]
        assert isinstance(resumed[0], Started)

        worker.submit(sobol("stopped"))
        follow(worker, lambda event: isinstance(event, Advanced) and event.done > 5000, limit=60)
        worker.cancel("stopped")
        assert isinstance(follow(worker)[-1], StoppedByUser)
        worker.submit(sobol("stopped", checkpoint="stopped"))
        assert isinstance(follow(worker, limit=120)[-1], Succeeded)

        worker.submit(sobol("short", n=1024))
        assert isinstance(follow(worker, limit=60)[-1], Succeeded)
        worker.submit(sobol("extended", checkpoint="short"))
        extended = follow(worker, limit=120)[-1]
        assert isinstance(extended, Succeeded)
        assert extended.evaluations == (8192 - 1024) * 10

        for run in ("killed", "stopped", "extended"):
            for name, frame in tables_of(tmp_path / run).items():
                pd.testing.assert_frame_equal(frame, whole[name], check_exact=True, obj=f"{name} of {run}")
        assert np.isfinite(whole["first_total"]["S1"]).all()
    finally:
        worker.kill()
