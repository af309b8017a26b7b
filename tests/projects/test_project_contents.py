"""What a project keeps: data sets, models, runs, queue, views, trash."""

from __future__ import annotations

import errno
import json
import shutil
import threading
from pathlib import Path

import pytest

from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError, ProjectError, SensiViewError, UserError
from sensiview.models.card import ModelCard
from sensiview.projects import references
from sensiview.projects.moved_files import moved_folder
from sensiview.projects.store import Project


def test_that_a_new_project_gets_the_suffix_and_its_title(tmp_path: Path) -> None:
    with Project.create(tmp_path / "étude 1", title="Étude") as project:
        assert project.path == tmp_path / "étude 1.sensiview"
        assert project.title == "Étude"
        assert not project.read_only
        assert project.notice == ""
    with Project.open(tmp_path / "étude 1") as project:  # the suffix may be left out
        assert project.title == "Étude"
    with Project.create(tmp_path / "untitled.sensiview") as project:
        assert project.path.name == "untitled.sensiview"
        assert project.title == "untitled"
        project.title = "Now titled"
        assert project.title == "Now titled"


def test_that_data_sets_and_models_come_back_as_they_were_added(
    project: Project, table_card: DatasetCard, network_card: ModelCard, table_file: Path, weights_file: Path
) -> None:
    data = project.add_dataset(table_card, [table_file])
    model = project.add_model(network_card, weights=weights_file)
    path = project.path
    project.close()
    with Project.open(path) as again:
        assert again.datasets() == [data]
        assert again.models() == [model]
        assert again.dataset("Pima").card == table_card
        assert again.dataset(data.id) == data
        assert again.model("NET") == model
        assert data.files[0].path == table_file
        assert data.files[0].size == table_file.stat().st_size
        assert model.weights is not None
        assert model.weights.path.parent == path / "models" / model.id
        assert model.weights.path.read_bytes() == weights_file.read_bytes()
        assert model.program is None


def test_that_files_are_stored_relative_and_found_after_a_move_of_both(tmp_path: Path, table_card: DatasetCard) -> None:
    home = tmp_path / "first"
    home.mkdir()
    table = home / "t.csv"
    table.write_text("a\n1\n")
    with Project.create(home / "p") as project:
        identifier = project.add_dataset(table_card, [table]).id
        ((stored,),) = project._database.rows("SELECT files FROM datasets")
        assert json.loads(stored)["0"]["path"] == "../t.csv"
    moved = tmp_path / "second"
    home.rename(moved)
    with Project.open(moved / "p") as project:
        assert project.dataset(identifier).files[0].path == moved / "t.csv"


def test_that_files_are_found_after_a_move_of_the_project_alone(
    project: Project, tmp_path: Path, table_card: DatasetCard, table_file: Path
) -> None:
    project.add_dataset(table_card, [table_file])
    project.close()
    deeper = tmp_path / "a" / "b"
    deeper.mkdir(parents=True)
    shutil.move(project.path, deeper)
    with Project.open(deeper / project.path.name) as again:
        assert again.datasets()[0].files[0].path == table_file


def test_that_copied_files_move_with_the_project(
    project: Project, tmp_path: Path, table_card: DatasetCard, table_file: Path
) -> None:
    twice = tmp_path / "other"
    twice.mkdir()
    second = shutil.copy(table_file, twice)
    source = project.add_dataset(table_card, [table_file, second], copy=True)
    assert [file.path.name for file in source.files] == ["pima, 2026.csv", "pima, 2026 2.csv"]
    assert all(file.path.is_relative_to(project.path) for file in source.files)
    project.close()
    table_file.unlink()
    moved = tmp_path / "elsewhere.sensiview"
    project.path.rename(moved)
    with Project.open(moved) as again:
        assert again.datasets()[0].files[0].path.read_text().startswith("glucose")


@pytest.mark.parametrize("copy", [False, True])
def test_that_a_missing_file_is_refused_and_nothing_is_left_of_it(
    project: Project, tmp_path: Path, table_card: DatasetCard, table_file: Path, copy: bool
) -> None:
    with pytest.raises(DataError, match=r"no file '.*missing.csv'"):
        project.add_dataset(table_card, [table_file, tmp_path / "missing.csv"], copy=copy)
    with pytest.raises(DataError, match=r"is a folder"):
        project.add_dataset(table_card, [tmp_path], copy=copy)
    with pytest.raises(DataError, match=r"has no file"):
        project.add_dataset(table_card, [], copy=copy)
    assert project.datasets() == []
    assert list((project.path / "data").iterdir()) == []


def test_that_a_full_disk_during_a_copy_leaves_nothing_of_it(
    project: Project, table_card: DatasetCard, table_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, write: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(references, "write_atomically", refuse)
    with pytest.raises(ProjectError, match=r"can't be copied into the project: the disk is full\. Free some space"):
        project.add_dataset(table_card, [table_file], copy=True)
    assert project.datasets() == []
    assert list((project.path / "data").iterdir()) == []
    assert project.add_dataset(table_card, [table_file]).files[0].path == table_file


def test_that_files_of_the_project_are_moved_and_come_back_when_that_fails(
    project: Project, table_card: DatasetCard, table_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = project.path / "runs" / "made"
    inside.mkdir(parents=True)
    files = [Path(shutil.copy(table_file, inside / f"{number}.csv")) for number in range(3)]
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.name == "2.csv":
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(ProjectError, match=r"2.csv' can't be moved to .*Permission denied"):
            project.add_dataset(table_card, files, move=True)
    assert project.datasets() == []
    assert list((project.path / "data").iterdir()) == []
    assert all(file.is_file() for file in files)
    source = project.add_dataset(table_card, files, move=True)
    assert [file.path.name for file in source.files] == ["0.csv", "1.csv", "2.csv"]
    assert not any(file.exists() for file in files)
    assert all(file.path.read_bytes() == table_file.read_bytes() for file in source.files)


def test_that_a_name_that_is_taken_gets_a_number(project: Project, table_card: DatasetCard, table_file: Path) -> None:
    names = [project.add_dataset(table_card, [table_file]).card.name for _ in range(3)]
    assert names == ["Pima", "Pima 2", "Pima 3"]
    lower = project.add_dataset(table_card.model_copy(update={"name": " pima\n"}), [table_file])
    assert lower.card.name == "pima 4"
    assert project.rename("dataset", "Pima 3", "PIMA") == "PIMA 3"
    assert project.rename("dataset", "Pima", "pima") == "pima"
    assert project.dataset("pima").card.name == "pima"


@pytest.mark.parametrize("name", ["", "  \t", "\x00\x1b", "x" * 201])
def test_that_a_name_must_be_visible_and_short(project: Project, name: str) -> None:
    run = project.new_run(analysis="sobol")
    with pytest.raises(ProjectError, match=r"name"):
        project.rename("run", run.id, name)


def test_that_an_unknown_name_comes_with_the_nearest_one(
    project: Project, table_card: DatasetCard, table_file: Path
) -> None:
    with pytest.raises(UserError, match=r"no data set 'Pima' in the project. It has none yet"):
        project.dataset("Pima")
    project.add_dataset(table_card, [table_file])
    with pytest.raises(UserError, match=r"Did you mean 'Pima'"):
        project.dataset("Pyma")
    with pytest.raises(UserError, match=r"Known: Pima"):
        project.dataset("something else")


def test_that_a_moved_file_can_be_relocated_only_to_itself(
    project: Project, tmp_path: Path, table_card: DatasetCard, table_file: Path
) -> None:
    source = project.add_dataset(table_card, [table_file])
    moved = table_file.rename(tmp_path / "moved.csv")
    other = tmp_path / "other.csv"
    other.write_bytes(moved.read_bytes().replace(b"1", b"9"))
    with pytest.raises(DataError, match=r"not the file that was added.*SHA-256"):
        project.relocate(source.id, 0, other)
    other.write_text("short")
    with pytest.raises(DataError, match=r"5 bytes instead of 20"):
        project.relocate(source.id, 0, other)
    with pytest.raises(UserError, match=r"has 1 files; there is no number 1"):
        project.relocate(source.id, 1, moved)
    project.relocate(source.id, 0, moved)
    assert project.dataset(source.id).files[0].path == moved
    assert [finding.severity for finding in project.verify()] in ([], ["note"])


def test_that_files_that_were_moved_together_are_found_together(
    project: Project, tmp_path: Path, table_card: DatasetCard
) -> None:
    before, after = tmp_path / "pets", tmp_path / "far" / "animals"
    files = [before / kind / f"{k}.png" for kind in ("cat", "dog") for k in range(3)]
    for number, path in enumerate(files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * 9)
    source = project.add_dataset(table_card, files)
    after.parent.mkdir()
    before.rename(after)
    (after / "dog" / "1.png").write_bytes(b"another!!")
    result = project.relocate(source.id, 1, after / "cat" / "1.png")
    assert (result.found, result.missing) == (5, 1)
    now = [file.path for file in project.dataset(source.id).files]
    assert now[:4] == [after / "cat" / f"{k}.png" for k in range(3)] + [after / "dog" / "0.png"]
    assert now[4] == before / "dog" / "1.png"


def test_that_the_moved_folder_is_the_one_whose_name_or_place_changed() -> None:
    assert moved_folder(Path("/a/pets/cat/1.png"), Path("/b/animals/cat/1.png")) == (
        Path("/a/pets"),
        Path("/b/animals"),
    )
    assert moved_folder(Path("/a/pets/1.png"), Path("/b/pets/1.png")) == (Path("/a"), Path("/b"))
    assert moved_folder(Path("/a/1.png"), Path("/a/renamed.png")) == (Path("/a"), Path("/a"))


def test_that_a_card_can_be_replaced(project: Project, table_card: DatasetCard, table_file: Path) -> None:
    source = project.add_dataset(table_card, [table_file])
    changed = source.card.model_copy(update={"target": "Outcome"})
    assert project.update_dataset_card(source.id, changed).card.target == "Outcome"
    assert project.dataset(source.id).files == source.files


def test_that_runs_are_numbered_named_and_queued(
    project: Project, table_card: DatasetCard, network_card: ModelCard, table_file: Path, weights_file: Path
) -> None:
    data = project.add_dataset(table_card, [table_file])
    model = project.add_model(network_card, weights=weights_file)
    first = project.new_run(
        analysis="sobol",
        revision=3,
        parameters={"n": 1024, "bounds": {"âge": [0, 1]}},
        dataset=data.id,
        model="net",
        name="Sobol' indices",
        seed=7,
    )
    second = project.new_run(analysis="sobol", name="Sobol' indices")
    third = project.new_run(kind="training")
    assert [run.id for run in project.runs()] == ["sobol-0001", "sobol-0002", "training-0001"]
    assert second.name == "Sobol' indices 2"
    assert third.name == "training-0001"
    assert (first.dataset_name, first.model, first.model_name) == ("Pima", model.id, "net")
    assert first.state == "queued"
    assert first.created
    assert first.versions["sensiview"]
    assert first.versions["torch"]
    assert project.run("Sobol' indices") == first
    assert project.run_directory(first.id).is_dir()
    assert project.queue() == ["sobol-0001", "sobol-0002", "training-0001"]
    project.reorder_queue(["training-0001", "unknown"])
    assert project.queue() == ["training-0001", "sobol-0001", "sobol-0002"]


def test_that_the_queue_follows_the_state_of_a_run(project: Project) -> None:
    first, second = project.new_run(analysis="sobol"), project.new_run(analysis="pca")
    running = project.update_run(first.id, state="running", started="2026-11-21T14:02:00+00:00")
    assert running.state == "running"
    assert project.queue() == [second.id]
    project.update_run(first.id, state="stopped", message="Stopped by you.")
    again = project.update_run(first.id, state="queued", message="")
    assert project.queue() == [second.id, first.id]
    assert again.message == ""
    told = json.loads((project.run_directory(first.id) / "run.json").read_text())
    assert told["state"] == "queued"


def test_that_a_field_that_a_record_has_not_is_refused(project: Project) -> None:
    run = project.new_run(analysis="sobol")
    with pytest.raises(SensiViewError, match=r"no field progress"):
        project.update_run(run.id, progress=3)
    with pytest.raises(SensiViewError, match=r"can't take that"):
        project.update_run(run.id, state="dancing")
    assert project.run(run.id) == run


def test_that_a_deleted_data_set_leaves_its_runs_readable_and_can_be_restored(
    project: Project, table_card: DatasetCard, table_file: Path
) -> None:
    data = project.add_dataset(table_card, [table_file], copy=True)
    run = project.new_run(analysis="sobol", dataset=data.id)
    assert project.used_by("dataset", data.id) == [run]
    project.delete("dataset", data.id)
    assert project.datasets() == []
    assert project.run(run.id).dataset_name == "Pima"
    with pytest.raises(UserError, match=r"'Pima' lies in the trash. Restore it first"):
        project.dataset("Pima")
    newer = project.add_dataset(table_card, [table_file])
    assert newer.card.name == "Pima"
    assert [(entry.kind, entry.id) for entry in project.trash()] == [("dataset", data.id)]
    assert project.restore("dataset", data.id) == "Pima 2"
    assert project.dataset(data.id).card.name == "Pima 2"
    project.delete("dataset", data.id)
    copied = data.files[0].path
    assert copied.exists()
    assert project.empty_trash() == []
    assert not copied.exists()
    assert table_file.exists()
    assert project.trash() == []
    assert project.run(run.id).dataset_name == "Pima"
    assert project.add_dataset(table_card, [table_file]).id not in (data.id, newer.id)


def test_that_deleting_a_run_takes_it_from_the_queue_and_refuses_a_running_one(project: Project) -> None:
    queued, running = project.new_run(analysis="sobol"), project.new_run(analysis="sobol")
    project.update_run(running.id, state="running")
    with pytest.raises(ProjectError, match=r"is going on. Stop it"):
        project.delete("run", running.id)
    directory = project.run_directory(queued.id)
    project.delete("run", queued.id)
    assert project.queue() == []
    assert directory.is_dir()
    assert project.restore("run", queued.id) == queued.name
    assert project.run(queued.id).state == "stopped"
    project.delete("run", queued.id)
    project.empty_trash()
    assert not directory.exists()
    assert project.new_run(analysis="sobol").id == "sobol-0003"


def test_that_views_keep_json(project: Project) -> None:
    project.save_view("window", {"splitter": [1, 2.5], "öffnen": None})
    project.save_view("window", {"splitter": [3]})
    assert project.views() == ["window"]
    assert project.load_view("window") == {"splitter": [3]}
    with pytest.raises(UserError, match=r"Did you mean 'window'"):
        project.load_view("windows")
    project.delete_view("window")
    assert project.views() == []


def test_that_threads_share_one_project(project: Project) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(5):
                run = project.new_run(analysis="sobol", name=f"thread {number}")
                project.update_run(run.id, state="running")
                project.update_run(run.id, warnings=[*project.run(run.id).warnings, "slow"])
                project.update_run(run.id, state="succeeded")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    runs = project.runs()
    assert len({run.id for run in runs}) == len({run.name for run in runs}) == 20
    assert {(run.state, tuple(run.warnings)) for run in runs} == {("succeeded", ("slow",))}


def test_that_a_closed_project_says_so(project: Project) -> None:
    project.close()
    project.close()
    with pytest.raises(ProjectError, match=r"has been closed"):
        project.runs()


def test_that_one_unreadable_entry_does_not_hide_the_others(project: Project) -> None:
    good, bad = project.new_run(analysis="sobol"), project.new_run(analysis="sobol")
    with project._database.writing() as connection:
        connection.execute("UPDATE runs SET record = '{\"kind\": 3}' WHERE id = ?", (bad.id,))
    assert project.runs() == [good]
    assert bad.id in project.unreadable()
    assert any(finding.subject == bad.id and finding.severity == "error" for finding in project.verify())
