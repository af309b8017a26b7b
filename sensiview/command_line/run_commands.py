"""Commands that compute: train, run, resume, extend, rerun. The job runs in this process; Ctrl+C stops it cleanly."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sensiview import running
from sensiview.command_line.arguments import checked_device, key_values, read_preprocessing
from sensiview.command_line.output import complain, item_text, say, say_json
from sensiview.command_line.tools import Tools
from sensiview.cross_validation import new_cross_validation
from sensiview.errors import UserError
from sensiview.jobs.events import Advanced, Event, Failed, StageBegan, StoppedByUser, Succeeded, Warned
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task
from sensiview.projects.records import RunRecord
from sensiview.projects.store import Project
from sensiview.rerunning import new_from_record
from sensiview.studies import read_result

EXIT_CODES = {"succeeded": 0, "failed": 3, "stopped": 130}


@dataclass
class Outcome:
    """How a task ended, as its events told it."""

    state: str = "failed"
    message: str = ""
    details: str = ""
    user_error: bool = False
    warnings: list[str] = field(default_factory=list)


@contextmanager
def _interruptible() -> Iterator[list[bool]]:
    """Turn the first Ctrl+C into a request to stop, the second into KeyboardInterrupt."""
    asked: list[bool] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        complain("\nStopping after this batch; press Ctrl+C again to stop at once.")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


class _Terminal:
    """Progress on one line of stderr, only when that is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._live = sys.stderr.isatty() and not quiet
        self._stage = ""
        self._width = 0

    def show(self, event: Event) -> None:
        if isinstance(event, Warned):
            self._clear()
            complain(f"Note: {event.sentence}")
        if not self._live:
            return
        if isinstance(event, StageBegan):
            self._stage = event.name
        elif isinstance(event, Advanced):
            share = f"{100 * event.done / event.total:3.0f} %" if event.total else f"{event.done:,}"
            left = f", {event.seconds_left:.0f} s left" if event.seconds_left else ""
            text = f"{self._stage}  {share}  {event.per_second:,.0f}/s{left}, {event.memory / 2**20:,.0f} MB"
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)
        elif isinstance(event, Succeeded | Failed | StoppedByUser):
            self._clear()

    def _clear(self) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            self._width = 0


def run_task(task: Task, tools: Tools, *, quiet: bool, project: Project | None = None) -> Outcome:
    """Run a task in this process and return how it ended; with a project, its run is kept up to date."""
    outcome = Outcome()
    terminal = _Terminal(quiet=quiet)

    def hear(event: Event) -> None:
        terminal.show(event)
        if isinstance(event, Warned):
            outcome.warnings.append(event.sentence)
        elif isinstance(event, Succeeded):
            outcome.state = "succeeded"
        elif isinstance(event, Failed):
            outcome.state, outcome.message, outcome.details = "failed", event.sentence, event.details
            outcome.user_error = event.user_error
        elif isinstance(event, StoppedByUser):
            outcome.state, outcome.message = "stopped", "Stopped; what was checkpointed can be resumed."
        if project is not None:
            running.record_event(project, task.run, event)

    with _interruptible() as asked:
        execute(task, tools.catalogue(), hear, lambda: bool(asked), architectures=tools.architectures)
    return outcome


def run_queued(project: Project, run: RunRecord, tools: Tools, *, quiet: bool) -> Outcome:
    """Run a queued run of a project in this process."""
    return run_task(running.task_for(project, run.id), tools, quiet=quiet, project=project)


def answer(project: Project, run_id: str, outcome: Outcome, *, as_json: bool, tables: bool = True) -> int:
    """Say how a run ended and return the exit code."""
    record = project.run(run_id)
    if as_json:
        say_json(
            {
                "run": record.id,
                "state": record.state,
                "items": record.items,
                "warnings": record.warnings,
                "evaluations": record.evaluations,
                "seconds": record.seconds,
                "directory": str(project.run_directory(record.id)),
                "message": record.message,
            }
        )
    elif outcome.state == "succeeded":
        say(f"{record.id}  {record.name}: {record.evaluations:,} evaluations in {record.seconds:.1f} s")
        if tables:
            for name, item in read_result(project, record.id).items():
                say()
                say(item_text(name, item))
    if outcome.state != "succeeded":
        complain(outcome.message)
    return EXIT_CODES[outcome.state]


def _finish(project: Project, run: RunRecord, options: argparse.Namespace, tools: Tools) -> int:
    outcome = run_queued(project, run, tools, quiet=options.json)
    return answer(project, run.id, outcome, as_json=options.json)


def run(options: argparse.Namespace, tools: Tools) -> int:
    """Run an analysis."""
    analysis = tools.catalogue()[options.key]
    parameters = analysis.Parameters.parse_strings(key_values(options.parameters)).to_json()
    batch_size = parameters.get("batch_size")
    with Project.open(options.project) as project:
        queued = running.new_analysis(
            project,
            tools.catalogue(),
            options.key,
            dataset=options.dataset,
            model=options.model,
            parameters=parameters,
            device=checked_device(options.device),
            seed=options.seed,
            batch_size=batch_size if isinstance(batch_size, int) else None,
            name=options.name,
        )
        return _finish(project, queued, options, tools)


def _check_training(key: str, options: Mapping[str, Any], recipe: Mapping[str, Any], tools: Tools) -> None:
    """Refuse what can't be trained before a run of it stands in the project; name plugins that were not agreed to."""
    from sensiview.jobs.training_job import recipe_of
    from sensiview.models.architectures import choose
    from sensiview.plugin_loading import list_plugins

    try:
        architecture = choose(key, tools.architectures())
    except UserError as error:
        asleep = [plugin.name for plugin in list_plugins() if plugin.state in ("untrusted", "changed", "broken")]
        hint = (
            f" Plugins that are not loaded may bring it: {', '.join(asleep)}; see 'sensiview plugins'."
            if asleep
            else ""
        )
        raise UserError(f"{error.sentence}{hint}") from None
    architecture.parse(options)
    recipe_of(architecture, recipe)


def train(options: argparse.Namespace, tools: Tools) -> int:
    """Train a network."""
    recipe: dict[str, Any] = dict(key_values(options.recipe))
    if options.epochs is not None:
        recipe["epochs"] = options.epochs
    if options.freeze and not options.base:
        raise UserError("--freeze keeps the weights of a trained network; say which with --from MODEL.")
    if options.freeze:
        recipe["freeze"] = True
    if options.architecture:
        _check_training(options.architecture, key_values(options.option), recipe, tools)
    if options.folds is not None:
        return _cross_validate(options, tools, recipe)
    if options.runs != 1:
        raise UserError("--runs repeats every fold; give --folds too.")
    with Project.open(options.project) as project:
        queued = running.new_training(
            project,
            options.architecture or "",
            dataset=options.dataset,
            base=options.base,
            options=key_values(options.option),
            recipe=recipe,
            preprocessing=read_preprocessing(options.preprocessing) if options.preprocessing else None,
            device=checked_device(options.device),
            seed=options.seed,
            name=options.name,
        )
        return _finish(project, queued, options, tools)


def _cross_validate(options: argparse.Namespace, tools: Tools, recipe: Mapping[str, Any]) -> int:
    """Train one model per fold and run, one after the other; stops at the first that does not succeed."""
    with Project.open(options.project) as project:
        queued = new_cross_validation(
            project,
            options.architecture or "",
            dataset=options.dataset,
            base=options.base,
            folds=options.folds,
            runs=options.runs,
            options=key_values(options.option),
            recipe=recipe,
            preprocessing=read_preprocessing(options.preprocessing) if options.preprocessing else None,
            device=checked_device(options.device),
            seed=options.seed,
            name=options.name,
        )
        models: list[dict[str, Any]] = []
        for done, run in enumerate(queued, start=1):
            complain(f"{run.name} ...")
            outcome = run_queued(project, run, tools, quiet=options.json)
            if outcome.state != "succeeded":
                if waiting := [other.id for other in queued[done:]]:
                    complain(f"Still waiting: {', '.join(waiting)}. Begin each with 'sensiview resume'.")
                return answer(project, run.id, outcome, as_json=options.json)
            record = project.run(run.id)
            card = project.model(record.model or "").card
            models.append({"run": run.id, "model": record.model, "name": card.name, "accuracy": card.accuracy})
            if not options.json:
                shown = ", ".join(f"{split} {value:.3f}" for split, value in card.accuracy.items())
                say(f"{run.id}  {card.name}: {shown}")
        if options.json:
            say_json({"models": models})
    return 0


def resume(options: argparse.Namespace, tools: Tools) -> int:
    """Go on with an interrupted run, or begin one that was queued when the program ended."""
    with Project.open(options.project) as project:
        run = project.run(options.run_id)
        # Only one program writes to a project, so nobody else is about to start what waits in its queue.
        waiting = run if run.state == "queued" else running.resume(project, run.id)
        return _finish(project, waiting, options, tools)


def extend(options: argparse.Namespace, tools: Tools) -> int:
    """Go on from a finished run to larger values."""
    with Project.open(options.project) as project:
        base = project.run(options.run_id)
        analysis = tools.catalogue()[base.analysis]
        given = key_values(options.parameters)
        parsed = analysis.Parameters.parse_strings(given).to_json()
        changes = {name: parsed[name] for name in given}
        return _finish(project, running.extend(project, tools.catalogue(), base.id, changes), options, tools)


def _read_record(options: argparse.Namespace) -> Mapping[str, Any]:
    try:
        record = json.loads(options.record.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise UserError(f"{options.record} is not a record: it is not JSON.") from None
    missing = {"analysis", "parameters"} - set(record)
    if missing:
        raise UserError(f"{options.record} is not a record of a run: it lacks {', '.join(sorted(missing))}.")
    found: Mapping[str, Any] = record
    return found


def rerun(options: argparse.Namespace, tools: Tools) -> int:
    """Run again what a record describes."""
    record = _read_record(options)
    with Project.open(options.project) as project:
        queued = new_from_record(project, tools.catalogue(), record)
        return _finish(project, queued, options, tools)
