"""Runs one task from the first event to the final one, in whatever process it is called."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.contract import Analysis
from sensiview.analysis.item_files import write_items
from sensiview.analysis.progress import Checkpoint
from sensiview.analysis.result import Result
from sensiview.errors import DataError, Stopped, UserError
from sensiview.files import verify
from sensiview.jobs import checkpoints
from sensiview.jobs.events import FINAL, Event, StageBegan, Started, StoppedByUser, Succeeded
from sensiview.jobs.failures import failed
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.run_folder import RunFolder, fingerprints
from sensiview.jobs.task import Task
from sensiview.jobs.task_study import study_of
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    from sensiview.models.architectures import Architecture

    Architectures = Callable[[], Mapping[str, Architecture]]

_TITLES = {"training": "Training", "inspection": "Reading the model", "preparation": "Making the data set"}


def execute(
    task: Task,
    catalogue: Catalogue,
    emit: Callable[[Event], None],
    cancelled: Callable[[], bool],
    *,
    architectures: Architectures | None = None,
) -> None:
    """Run a task; what happens to it is said by events only, the last of them exactly one final one.

    Parameters
    ----------
    task : Task
        With absolute paths.
    catalogue : Catalogue
        The analyses.
    emit : callable
        Takes each event. What it raises ends the job as a failure; from the final event it reaches the caller.
    cancelled : callable
        True from the moment the user cancels; asked at least once per batch.
    architectures : callable
        Returns the architectures by key; None for those that come with SensiView.
    """
    folder = RunFolder(task)
    job = _Job(task, catalogue, emit, cancelled, folder, architectures)
    final: FINAL
    try:
        final = job.run()
    except (Stopped, KeyboardInterrupt):
        final = StoppedByUser(task.run)
    except BaseException as error:  # noqa: BLE001 - also SystemExit of a library: a job must always say how it ended
        final = failed(task.run, error, job.title, task.directory)
    job.close()
    folder.end(final)
    folder.log(final)
    emit(final)


class _Job:
    """One task on its way; split off so that every ending finds what there is to close."""

    def __init__(
        self,
        task: Task,
        catalogue: Catalogue,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool],
        folder: RunFolder,
        architectures: Architectures | None,
    ) -> None:
        self.task = task
        self.title = _TITLES.get(task.kind, task.analysis)
        self._catalogue = catalogue
        self._to_caller = emit
        self._cancelled = cancelled
        self._folder = folder
        self._architectures = architectures
        self._progress: JobProgress | None = None

    def run(self) -> Succeeded:
        """Do what the task asks for."""
        if self.task.kind == "analysis":
            return self._analysis()
        job = self._other_job()
        about = self._about_training() if self.task.kind == "training" else {}
        restored, complaint = self._restore(about) if about else (None, "")
        progress, device = self._begin(self.task.device if self.task.kind == "training" else "cpu", restored, about)
        if complaint:
            progress.warn(complaint)
        result, recorded = job(self.task, device, progress, self._architectures_now())
        self._folder.values |= recorded
        return self._succeeded(progress, result)

    def _other_job(self) -> Callable[..., tuple[Result, dict[str, Any]]]:
        """Return what does a task that is no analysis; only its own module is loaded."""
        if self.task.kind == "training":
            from sensiview.jobs.training_job import train

            return train
        if self.task.kind == "inspection":
            from sensiview.jobs.inspection_job import inspect

            return inspect
        if self.task.analysis == "resampling":
            from sensiview.jobs.resampling_job import resample

            return resample
        if self.task.analysis == "biased_digits":
            from sensiview.jobs.digits_job import make_digits

            return make_digits
        from sensiview.jobs.simulation_job import simulate

        return simulate

    def close(self) -> None:
        """Keep the last checkpoint of a job that was stopped or failed, so that it can go on from there."""
        if self._progress is not None:
            self._folder.values["warnings"] = list(self._progress.warnings)
            with contextlib.suppress(Exception):  # the reason why the job ended is already known
                self._progress.finish()

    def _analysis(self) -> Succeeded:
        analysis = self._catalogue[self.task.analysis]
        self.title = analysis.title
        parameters = analysis.Parameters.parse(self.task.parameters)
        self._folder.values |= {
            "title": analysis.title,
            "revision": analysis.revision,
            "parameters": parameters.to_json(),
        }
        about = self._about(analysis, parameters.to_json())
        restored, complaint = self._restore(about)
        networks = analysis.needs_model or any(run.model is not None for run in self.task.runs)
        progress, device = self._begin(self.task.device if networks else "cpu", restored, about)
        if complaint:
            progress.warn(complaint)
        progress.stage("Opening data and model")
        self._verify()
        study = study_of(self.task, analysis, device, progress, self._architectures_now)
        catalogue = self._catalogue
        study = replace(study, plugin_parts=lambda: (catalogue.partitions, catalogue.generators))
        found = analysis.against(study, parameters)
        if found:
            raise UserError(" ".join(found))
        result = analysis.run(study, parameters, progress)
        for sentence in result.warnings:
            progress.warn(sentence)
        return self._succeeded(progress, result)

    def _begin(
        self, wanted_device: str, restored: Checkpoint | None, about: Mapping[str, Any]
    ) -> tuple[JobProgress, str]:
        """Choose the device, make the folder and say that the job has begun."""
        device, name, memory = _device(wanted_device)
        self._folder.values |= {"device_used": device, "device_name": name}
        self._folder.begin()
        self._emit(Started(self.task.run, device=device, process=os.getpid()))
        self._progress = JobProgress(
            self.task.run,
            self._emit,
            self._cancelled,
            keep=lambda state: checkpoints.write_checkpoint(self.task.directory, state, about),
            restored=restored,
            note=self._folder.log,
            memory=memory,
        )
        return self._progress, device

    def _succeeded(self, progress: JobProgress, result: Result) -> Succeeded:
        self._obey()
        progress.finish()
        write_items(result.items_by_name, self.task.directory)
        facts = {"device": self._folder.values["device_used"], **result.facts}
        if progress.rows_per_second and result.evaluations and progress.restored() is None:
            facts.setdefault("rows_per_second", round(progress.rows_per_second, 1))
        self._folder.values["facts"] = facts = _plain(facts)
        return Succeeded(
            self.task.run,
            items=tuple(result),
            evaluations=result.evaluations,
            seconds=self._folder.seconds,
            facts=facts,
        )

    def _emit(self, event: Event) -> None:
        if not isinstance(event, StageBegan):  # noted when it began
            self._folder.log(event)
        self._to_caller(event)

    def _obey(self) -> None:
        if self._cancelled():
            raise Stopped

    def _about(self, analysis: Analysis[Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What a checkpoint belongs to; what may grow when a run is extended is left out."""
        fixed = {f"value of '{name}'": value for name, value in parameters.items() if name not in analysis.extendable}
        return {"analysis": analysis.key, "revision": analysis.revision, **self._inputs(), **fixed}

    def _about_training(self) -> dict[str, Any]:
        """What the checkpoint of a training belongs to: nothing of it may change on the way."""
        card = self.task.model.card if self.task.model else ModelCard(name="")
        about: dict[str, Any] = {}
        if self.task.dataset is not None:
            data = self.task.dataset.card
            about = {"target": data.target, "classes": list(data.class_counts), "folds": data.extra.get("folds")}
        fixed = {f"value of '{name}'": value for name, value in self.task.parameters.items()}
        options = {f"option '{name}'": value for name, value in card.options.items()}
        about |= {"analysis": "training", "architecture": card.architecture}
        return {**about, **self._inputs(), **options, **fixed}

    def _inputs(self) -> dict[str, Any]:
        hashes = {f"{what} file": value for what, value in fingerprints(self.task).items()}
        return {"seed": self.task.seed, **hashes}

    def _restore(self, about: Mapping[str, Any]) -> tuple[Checkpoint | None, str]:
        if self.task.checkpoint is None:
            return None, ""
        try:
            return checkpoints.read_checkpoint(self.task.checkpoint, about), ""
        except DataError as error:
            return None, f"{error.sentence} The run begins anew."

    def _verify(self) -> None:
        for file in self.task.dataset.files if self.task.dataset else ():
            verify(file)
            self._obey()
        if self.task.model is not None:
            for weights in (self.task.model.weights, self.task.model.program):
                if weights is not None:
                    verify(weights)
                    self._obey()

    def _architectures_now(self) -> Mapping[str, Architecture]:
        if self._architectures is not None:
            return self._architectures()
        from sensiview.models.architectures import architectures

        return architectures()


def _device(wanted: str) -> tuple[str, str, Callable[[], tuple[int, int]]]:
    """Return the device really used, its name for people, and how to ask what memory is in use."""
    import psutil

    process = psutil.Process()
    if wanted == "cpu":
        # Torch is not needed to know that, and an analysis of data alone never loads it.
        return "cpu", "CPU", lambda: (int(process.memory_info().rss), 0)
    from sensiview.models import devices

    device = devices.resolve(wanted)
    return str(device), devices.title(device), lambda: devices.memory_in_use(device)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as strict JSON values: they travel in the final event, which must arrive."""
    try:
        json.dumps(dict(facts), allow_nan=False)
        return dict(facts)
    except (TypeError, ValueError):
        return {str(name): str(value) for name, value in facts.items()}
