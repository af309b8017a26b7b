"""The commands and their options; every command's help ends with an example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from sensiview import __version__
from sensiview.command_line import (
    dataset_commands,
    doctor,
    program_commands,
    project_commands,
    run_commands,
    share_commands,
)
from sensiview.demos import DEMOS
from sensiview.projects.places import given_path

Add = Callable[..., argparse.ArgumentParser]


def build_parser() -> tuple[argparse.ArgumentParser, frozenset[str]]:
    """Return the parser of ``sensiview COMMAND`` and the commands' names. Wrong usage exits with 2."""
    parser = argparse.ArgumentParser(
        prog="sensiview",
        description="Shows what a neural network is sensitive to. Without a command, opens the window.",
        epilog="Example: sensiview demo diabetes",
    )
    parser.add_argument("--version", action="version", version=f"SensiView {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, help_text: str, example: str, run: Callable[..., int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=help_text, description=help_text, epilog=f"Example: sensiview {name} {example}".rstrip()
        )
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
        return sub

    _add_project_commands(add)
    _add_run_commands(add)
    _add_other_commands(add)
    return parser, frozenset(commands.choices)


def build_window_parser() -> argparse.ArgumentParser:
    """Return the parser of ``sensiview [PROJECT]``, which opens the window."""
    parser = argparse.ArgumentParser(
        prog="sensiview",
        description="Open the window. 'sensiview --help' lists the commands.",
        epilog="Example: sensiview my_study.sensiview",
    )
    parser.add_argument("project", nargs="?", type=given_path, help="project folder to open, or a file in it")
    parser.add_argument("--screenshot", type=Path, metavar="FILE.png", help="draw the window, save it, quit")
    parser.add_argument("--size", default="1280x800", metavar="WxH", help="size of the window for the screenshot")
    parser.add_argument("--show", default="", metavar="PANE", help="pane or run to show in the screenshot")
    return parser


def _project(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
    sub.add_argument("project", type=given_path, metavar="PROJECT", help="project folder")
    return sub


def _add_project_commands(add: Add) -> None:
    new = _project(add("new", "Make an empty project.", "my_study --title 'My study'", project_commands.new))
    new.add_argument("--title", default="", help="title shown in the window")

    dataset = _project(
        add(
            "add-dataset",
            "Add tables (CSV, TSV, Parquet, Excel), images, volumes (NIfTI) or DICOM series to a project.",
            "my_study.sensiview patients.csv --target Outcome",
            dataset_commands.add_dataset,
        )
    )
    dataset.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="file or folder to add")
    dataset.add_argument("--name", help="name in the project; the file's name when left out")
    dataset.add_argument(
        "--kind", choices=["table", "images", "volumes", "dicom"], help="kind of data; seen from the files"
    )
    dataset.add_argument("--target", metavar="COLUMN", help="column the models predict")
    dataset.add_argument("--copy", action="store_true", help="copy the file into the project")
    dataset.add_argument(
        "--participants", type=Path, metavar="TABLE", help="volumes: table of the subjects; participants.tsv is found"
    )
    dataset.add_argument("--frame", type=int, metavar="I", help="volumes: which volume of 4-D files, from 0")
    dataset.add_argument(
        "--labels", type=Path, metavar="TABLE", help="images: table with a row per image; one in the folder is found"
    )
    dataset.add_argument("--frames", type=int, metavar="N", help="images: most frames per file; all, of videos 10")
    dataset.add_argument("--series", metavar="S", help="DICOM: only the series of this UID or description")
    dataset.add_argument("--missing", action="append", default=[], metavar="WORD", help="cells that mean no value")
    dataset.add_argument("--text", action="append", default=[], metavar="COLUMN", help="column that is text, no factor")
    dataset.add_argument("--leave-out", action="append", default=[], metavar="COLUMN", help="column not to read")
    dataset.add_argument(
        "--read",
        action="append",
        default=[],
        metavar="k=v",
        help="how the file is read, where it is guessed wrongly: delimiter, decimal, thousands, encoding, sheet, "
        "header, skip_lines, unreadable=missing, uneven_rows=leave_out, rename_duplicates, target_as",
    )

    resample = _project(
        add(
            "resample",
            "Bring the volumes of a data set onto one grid, as a new data set.",
            "my_study.sensiview --dataset cohort --to mni152 --spacing 2",
            dataset_commands.resample,
        )
    )
    resample.add_argument("--dataset", metavar="D", help="data set of volumes; may be left out when there is one")
    onto = resample.add_mutually_exclusive_group(required=True)
    onto.add_argument("--to", metavar="T", help="mni152, a NIfTI file, or the name of one of the volumes")
    onto.add_argument("--like", metavar="DATASET", help="the grid of another data set of the project")
    resample.add_argument("--spacing", type=float, metavar="MM", help="edge of the voxels; the template's if left out")
    resample.add_argument(
        "--interpolation",
        choices=["linear", "continuous", "nearest"],
        default="linear",
        help="how values between voxels are found; nearest for labels",
    )
    resample.add_argument("--name", default="", help="name of the new data set")

    model = _project(
        add(
            "add-model",
            "Add a network with its weights to a project.",
            "my_study.sensiview --architecture diabetes_net --weights model.pth",
            project_commands.add_model,
        )
    )
    what = model.add_mutually_exclusive_group(required=True)
    what.add_argument("--architecture", metavar="KEY", help="name of the architecture")
    what.add_argument("--program", type=Path, metavar="FILE.pt2", help="program exported with torch.export")
    model.add_argument("--weights", type=Path, metavar="FILE", help="state_dict: .pth or .safetensors")
    model.add_argument("--name", help="name in the project")
    model.add_argument("--option", action="append", default=[], metavar="k=v", help="option of the architecture")
    model.add_argument("--preprocessing", type=Path, metavar="FILE.json", help="what happens to a row before the model")
    model.add_argument("--classes", type=Path, metavar="FILE", help="class names: one a line, or a JSON list")

    runs = _project(add("runs", "List the runs of a project.", "my_study.sensiview", project_commands.runs))
    runs.set_defaults(needs_write=False)
    show = _project(add("show", "Print a run and its results.", "my_study.sensiview sobol-0001", project_commands.show))
    show.add_argument("run_id", metavar="RUN", help="identifier or name of the run")
    check = _project(
        add("check", "Check every file, hash and run of a project.", "my_study.sensiview", project_commands.check)
    )
    check.add_argument("--restore", action="store_true", help="put the last good copy of a damaged database back")


def _add_run_commands(add: Add) -> None:
    train = _project(
        add(
            "train",
            "Train a network on a data set of the project.",
            "my_study.sensiview --architecture mlp --dataset patients --option hidden=32,16",
            run_commands.train,
        )
    )
    what = train.add_mutually_exclusive_group(required=True)
    what.add_argument("--architecture", metavar="KEY", help="name of the architecture")
    what.add_argument("--from", dest="base", metavar="MODEL", help="images: model whose weights to start from")
    train.add_argument("--freeze", action="store_true", help="with --from: train the last layer only")
    train.add_argument("--dataset", required=True, metavar="D", help="data set to train on")
    train.add_argument("--name", default="", help="name of the new model")
    train.add_argument("--epochs", type=int, metavar="E", help="passes over the training rows")
    train.add_argument("--option", action="append", default=[], metavar="k=v", help="option of the architecture")
    train.add_argument(
        "--preprocessing", type=Path, metavar="FILE.json", help="images, volumes: what happens to each before the model"
    )
    train.add_argument("--folds", type=int, metavar="K", help="volumes, images: cross-validation, one model per fold")
    train.add_argument("--runs", type=int, default=1, metavar="R", help="with --folds: trainings per fold")
    train.add_argument("--recipe", action="append", default=[], metavar="k=v", help="setting of the training")
    _where(train)

    run = _project(
        add(
            "run",
            "Run an analysis.",
            "my_study.sensiview sobol --dataset patients --model net -p n=4096 -p second_order=true",
            run_commands.run,
        )
    )
    run.add_argument("key", metavar="KEY", help="the analysis; 'sensiview analyses' lists them")
    run.add_argument("--dataset", metavar="D", help="data set, by name; may be left out when there is one")
    run.add_argument("--model", metavar="M", help="model, by name; may be left out when there is one")
    run.add_argument("-p", action="append", default=[], metavar="name=value", dest="parameters", help="parameter")
    run.add_argument("--name", default="", help="name of the run")
    _where(run)

    resume = _project(
        add("resume", "Go on with an interrupted run.", "my_study.sensiview sobol-0001", run_commands.resume)
    )
    resume.add_argument("run_id", metavar="RUN", help="identifier or name of the run")
    extend = _project(
        add(
            "extend",
            "Go on from a finished run to a larger n; every evaluation is used again.",
            "my_study.sensiview sobol-0001 -p n=65536",
            run_commands.extend,
        )
    )
    extend.add_argument("run_id", metavar="RUN", help="identifier or name of the run")
    extend.add_argument("-p", action="append", default=[], metavar="name=value", dest="parameters", help="parameter")
    rerun = add(
        "rerun",
        "Run again what a record describes, in another project with the same data and model.",
        "record.json --project my_study.sensiview",
        run_commands.rerun,
    )
    rerun.add_argument("record", type=Path, metavar="RECORD.json", help="record of the earlier run")
    rerun.add_argument("--project", type=given_path, required=True, metavar="PROJECT", help="project to run it in")


def _where(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--device", default="auto", metavar="auto|cpu|cuda:0|mps", help="where to compute")
    sub.add_argument("--seed", type=int, default=1, metavar="S", help="seed of everything random, at least 1")


def _add_other_commands(add: Add) -> None:
    demo = add("demo", "Make a sample project, run its analyses, open it.", "diabetes", program_commands.demo)
    demo.add_argument("demo", choices=list(DEMOS), metavar="NAME", help=", ".join(DEMOS))
    demo.add_argument("--to", type=Path, metavar="DIR", help="folder that receives the project")
    demo.add_argument("--no-window", action="store_true", help="print the tables instead of opening the window")
    demo.add_argument("--quick", action="store_true", help="smaller sizes: minutes instead of an hour")

    add("analyses", "List the analyses.", "", program_commands.analyses)
    describe = add("describe", "Explain an analysis and its parameters.", "sobol", program_commands.describe)
    describe.add_argument("key", metavar="KEY", help="the analysis")

    export = _project(
        add(
            "export",
            "Write a run's results as CSV, arrays and pictures.",
            "my_study.sensiview sobol-0001 --to results",
            share_commands.export,
        )
    )
    export.add_argument("run_id", metavar="RUN", help="identifier or name of the run")
    export.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder that receives the files")
    export.add_argument("--item", metavar="NAME", help="only this item")

    report = _project(
        add(
            "report",
            "Write a report of finished runs.",
            "my_study.sensiview sobol-0001 --to report.html",
            share_commands.report,
        )
    )
    report.add_argument("run_ids", nargs="*", metavar="RUN", help="runs to include; all finished ones when left out")
    report.add_argument("--to", type=Path, required=True, metavar="FILE", help="report.html or report.pdf")

    plugins = add("plugins", "List plugins, or trust or remove one.", "trust my_plugin", program_commands.plugins)
    plugins.add_argument("action", nargs="?", choices=["list", "trust", "remove"], default="list", help="what to do")
    plugins.add_argument("name", nargs="?", default="", metavar="NAME", help="the plugin")
    doctor_parser = add(
        "doctor",
        "Tell what this machine offers and what of SensiView works: versions, GPU, worker, codecs, OpenGL, paths.",
        "",
        doctor.doctor,
    )
    doctor_parser.add_argument("--only", nargs="+", default=[], metavar="LINE", help="only these lines: GPU worker")
