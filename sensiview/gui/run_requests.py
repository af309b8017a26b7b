"""Asking for runs: each is checked, queued in the project and started when its turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from sensiview.analysis.catalogue import Catalogue
    from sensiview.analysis.sources import DatasetSource, ModelSource
    from sensiview.gui.job_queue import JobQueue
    from sensiview.preparing import Preparation
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


class RunRequests:
    """The part of `sensiview.gui.session.Session` that starts, repeats and stops runs."""

    if TYPE_CHECKING:
        jobs: JobQueue

        @property
        def catalogue(self) -> Catalogue:
            """The analyses."""

        @property
        def dataset(self) -> DatasetSource | None:
            """The selected data set."""

        @property
        def model(self) -> ModelSource | None:
            """The selected model."""

        def writable_project(self) -> Project:
            """Return the open project if it may be changed."""

        def entries_changed(self, kind: Literal["dataset", "model", "run"]) -> None:
            """Tell that there are other entries."""

        def follow_run(self, identifier: str) -> None:
            """Make a run that was just queued the selected one."""

    def start_analysis(
        self,
        key: str,
        parameters: Mapping[str, Any],
        *,
        device: str = "auto",
        seed: int = 1,
        batch_size: int | None = None,
        name: str = "",
    ) -> RunRecord:
        """Queue an analysis of the selected data set and model; raises with the reason why not."""
        from sensiview import running

        dataset, model = self.dataset, self.model
        run = running.new_analysis(
            self.writable_project(),
            self.catalogue,
            key,
            dataset=dataset.id if dataset else None,
            model=model.id if model else None,
            parameters=parameters,
            device=device,
            seed=seed,
            batch_size=batch_size,
            name=name,
        )
        return self._queued(run)

    def start_training(
        self,
        architecture: str,
        *,
        dataset: str | None = None,
        options: Mapping[str, Any] | None = None,
        recipe: Mapping[str, Any] | None = None,
        device: str = "auto",
        seed: int = 1,
        name: str = "",
        base: str | None = None,
    ) -> RunRecord:
        """Queue the training of a model on a data set (the selected one by default), from a trained one with `base`."""
        from sensiview import running

        chosen = dataset or (self.dataset.id if self.dataset else None)
        run = running.new_training(
            self.writable_project(),
            architecture,
            dataset=chosen,
            options=options,
            recipe=recipe,
            device=device,
            seed=seed,
            name=name,
            base=base,
        )
        return self._queued(run)

    def start_cross_validation(
        self, architecture: str, *, folds: int, runs: int, dataset: str, **choices: Any
    ) -> list[RunRecord]:
        """Queue one training per fold and run; `choices` as `start_training` takes them."""
        from sensiview.cross_validation import new_cross_validation

        queued = new_cross_validation(
            self.writable_project(), architecture, dataset=dataset, folds=folds, runs=runs, **choices
        )
        self.entries_changed("dataset")
        for run in queued:
            self._queued(run)
        return queued

    def start_preparation(
        self,
        what: Preparation,
        *,
        dataset: str | None,
        parameters: Mapping[str, Any],
        name: str,
    ) -> RunRecord:
        """Queue a job that makes a data set."""
        from sensiview.preparing import new_preparation

        return self._queued(
            new_preparation(self.writable_project(), what, dataset=dataset, parameters=parameters, name=name)
        )

    def retry(self, run_id: str) -> RunRecord:
        """Queue a new run with everything as in an earlier one."""
        from sensiview import preparing, running

        project = self.writable_project()
        old = project.run(run_id)
        if old.kind == "training":
            values = old.parameters
            run = running.new_training(
                project,
                values["architecture"],
                dataset=old.dataset,
                options=values.get("options"),
                recipe=values.get("recipe"),
                device=old.device,
                seed=old.seed,
                name=old.name,
            )
        elif old.kind == "preparation":
            run = preparing.new_preparation(
                project,
                cast("Preparation", old.analysis),
                dataset=old.dataset,
                parameters=old.parameters,
                seed=old.seed,
                name=old.name,
            )
        else:
            run = running.new_analysis(
                project,
                self.catalogue,
                old.analysis,
                dataset=old.dataset,
                model=old.model,
                parameters=old.parameters,
                device=old.device,
                seed=old.seed,
                batch_size=old.batch_size,
                name=old.name,
            )
        return self._queued(run)

    def resume(self, run_id: str) -> RunRecord:
        """Queue a run that was interrupted, stopped or failed; it goes on from its checkpoint."""
        from sensiview import running

        return self._queued(running.resume(self.writable_project(), run_id))

    def extend(self, run_id: str, parameters: Mapping[str, Any]) -> RunRecord:
        """Queue a run that re-uses all evaluations of a finished one with larger values."""
        from sensiview import running

        return self._queued(running.extend(self.writable_project(), self.catalogue, run_id, parameters))

    def cancel(self, run_id: str) -> None:
        """Stop a run, or take it out of the queue."""
        self.jobs.cancel(run_id)

    def _queued(self, run: RunRecord) -> RunRecord:
        self.jobs.add(run.id)
        self.follow_run(run.id)
        return run
