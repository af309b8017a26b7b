"""``sensiview doctor``: what this machine offers and what of the program works; whatever is broken costs its own line.

What could take the whole process down is tried in other processes: a driver of OpenGL, a library that PyTorch loads.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from sensiview import __version__, locations
from sensiview.command_line import doctor_checks as checks
from sensiview.command_line.doctor_checks import Fact
from sensiview.command_line.output import say, say_json
from sensiview.command_line.tools import Tools
from sensiview.errors import SensiViewError, UserError, suggestion
from sensiview.installation import commit, installed_as

PACKAGES = ("torch", "torchvision", "PySide6", "pyqtgraph", "numpy", "scipy", "pandas", "SALib", "nibabel", "napari")
# Tried by another process, which Qt or a driver may end.
DRAWN = ("display", "OpenGL", "viewer")
_PROBLEMS = "problems"
_CRASHED = "not tried, as it made the worker process crash"

Facts = dict[str, Fact]


def doctor(options: argparse.Namespace, tools: Tools) -> int:
    """Tell what this machine offers; exit code 0 whatever is broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, to developers; what matters becomes a line
        facts = _asked_for(options.only, tools) if options.only else _everything(tools)
    problems = [name for name, fact in facts.items() if not fact.good]
    if options.json:
        say_json({**{name: fact.value for name, fact in facts.items()}, _PROBLEMS: problems})
        return 0
    width = max(len(name) for name in facts)
    say("\n".join(f"{name:<{width}}  {fact.value}" for name, fact in facts.items()))
    if not options.only:
        say()
        say(f"Look at: {', '.join(problems)}." if problems else "Everything that comes with SensiView was found.")
    return 0


def _everything(tools: Tools) -> Facts:
    with ThreadPoolExecutor(2) as pool:
        answering = pool.submit(_told, checks.worker)
        drawing = pool.submit(_drawn_elsewhere)
        facts: Facts = {name: _told(check) for name, check in _light(tools).items()}
        worker, drawn = answering.result(), _result(drawing)
    # PyTorch comes last: a processor that it does not run on ends a process, and the worker's was the first.
    computing = _computing(crashed=checks.CRASHED in str(worker.value))
    return _ordered({**facts, **computing, "worker": worker, **drawn})


# As people read it: the program, the machine, what computes, what reads and draws, where things lie.
_ORDER = (
    "SensiView", "commit", "installed", "Python", "system", "cores", "memory", *PACKAGES, "devices", "GPU", "worker",
    "DICOM codecs", "video", "display", "OpenGL", "viewer", "samples", "help", "resources found", "plugins found",
    "home", "home writable", "disk", "settings", "plugins", "log", "resources",
)  # fmt: skip


def _ordered(found: Facts) -> Facts:
    names: list[str] = []
    for name in _ORDER:
        # What is in no order is a device: cuda:0, cpu.
        names += [n for n in found if n == name or n not in _ORDER] if name == "devices" else [name]
    return {name: found[name] for name in names if name in found}


def _light(tools: Tools) -> Mapping[str, Callable[[], Fact]]:
    """Return the checks that load neither PyTorch nor Qt."""

    def text(function: Callable[[], object]) -> Callable[[], Fact]:
        return lambda: Fact(str(function()))

    return {
        "SensiView": text(lambda: __version__),
        "commit": text(commit),
        "installed": text(installed_as),
        "Python": text(lambda: f"{platform.python_version()} ({sys.executable})"),
        "system": text(platform.platform),
        "cores": lambda: Fact(os.cpu_count()),
        "memory": checks.memory,
        **{package: partial(_package, package) for package in PACKAGES},
        "DICOM codecs": checks.dicom_codecs,
        "video": checks.video,
        "samples": checks.samples,
        "help": partial(checks.help_pages, tools),
        "resources found": checks.resources_found,
        "plugins found": checks.plugins_found,
        "home": text(locations.home),
        "home writable": checks.home_writable,
        "disk": checks.disk,
        "settings": text(locations.settings_file),
        "plugins": text(locations.user_plugins),
        "log": text(locations.log_file),
        "resources": text(locations.resources),
    }


def _computing(*, crashed: bool = False) -> Facts:
    if crashed:
        return {"devices": Fact(_CRASHED, False), "GPU": Fact(_CRASHED, False)}
    try:
        devices = checks.devices()
    except Exception as error:  # noqa: BLE001 - a broken library raises anything
        devices = {"devices": _failed(error)}
    return {**devices, "GPU": _told(checks.gpu)}


def _drawn_here(tools: Tools) -> Mapping[str, Callable[[], Fact]]:
    def display() -> Fact:
        problem = tools.display_problem()
        meant = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
        return Fact(f"none: {problem} Commands work." if problem else "yes", not (problem and meant))

    return {"display": display, "OpenGL": lambda: Fact(tools.graphics()), "viewer": lambda: Fact(tools.viewer())}


def _drawn_elsewhere(names: Sequence[str] = DRAWN) -> Facts:
    """Return what another process finds that draws; when it is ended, each line is tried alone."""
    from sensiview.jobs.worker_process import own_environment, program

    command = [*program(), "doctor", "--json", "--only", *names]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **own_environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=checks.PATIENCE_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return {name: Fact(f"does not answer within {checks.PATIENCE_S:.0f} s", False) for name in names}
    except OSError as error:
        return {name: Fact(f"could not be tried ({error.strerror or error})", False) for name in names}
    try:
        said = json.loads(done.stdout.strip().splitlines()[-1])  # a library may have printed before
        return {name: Fact(said[name], name not in said[_PROBLEMS]) for name in names}
    except (ValueError, LookupError, TypeError):
        if len(names) > 1:
            return {name: fact for one in names for name, fact in _drawn_elsewhere([one]).items()}
        last = (done.stderr.strip().splitlines() or ["it says no reason"])[-1]
        return {names[0]: Fact(f"can't be used: the process that tried it ended ({last})", False)}


def _asked_for(names: Sequence[str], tools: Tools) -> Facts:
    """Return some lines alone, found in this process."""
    known = {**_light(tools), **_drawn_here(tools), "worker": checks.worker}
    computing = ("devices", "GPU")
    for name in names:
        if name not in known and name not in computing:
            near = suggestion(name, [*known, *computing])
            raise UserError(f"The doctor has no line '{name}'.{near} It has: {', '.join([*known, *computing])}.")
    facts = {name: _told(known[name]) for name in names if name in known}
    if any(name in computing for name in names):
        facts |= {k: v for k, v in _computing().items() if k in names or (k != "GPU" and "devices" in names)}
    return facts


def _told(check: Callable[[], Fact]) -> Fact:
    """Return what a check finds; whatever it raises is what was found."""
    try:
        return check()
    except SensiViewError as error:
        return Fact(error.sentence, False)
    except Exception as error:  # noqa: BLE001 - the doctor is asked when things are broken
        return _failed(error)


def _result(future: Future[Facts]) -> Facts:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - as above
        return {name: _failed(error) for name in DRAWN}


def _failed(error: Exception) -> Fact:
    return Fact(f"can't be used: {type(error).__name__}: {' '.join(str(error).split())}", False)


def _package(package: str) -> Fact:
    try:
        return Fact(version(package))
    except PackageNotFoundError:
        return Fact("missing", False)
