"""Dialogs: what they show, refuse and do; none of them blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.new_project import folder_name
from sensiview.gui.themes import apply_theme, theme
from sensiview.jobs.events import Failed, Succeeded

pytestmark = pytest.mark.needs_display


@pytest.mark.parametrize(
    "title, folder",
    [
        ("My study", "My study.sensiview"),
        ('a/b\\c: "d" <e>?', "a b c d e.sensiview"),
        ("Größe & Gewicht, 日本", "Größe & Gewicht, 日本.sensiview"),
        (" . ", "project.sensiview"),
    ],
)
def test_that_a_title_becomes_a_folder_name_that_every_system_takes(title: str, folder: str) -> None:
    assert folder_name(title) == folder


def test_that_a_new_project_is_made_and_opened(window: Any, tmp_path: Path) -> None:
    window.action_set["new_project"].trigger()
    dialog = window.dialog("new_project")
    assert not dialog.create_button.isEnabled()
    dialog.folder.setText(str(tmp_path))
    dialog.title.setText("Étude 1")
    dialog.create_button.click()
    assert window.session.project.path == tmp_path / "Étude 1.sensiview"
    assert window.windowTitle().startswith("Étude 1")
    assert window.docks["project"].isVisible()


def test_that_a_folder_that_is_taken_is_refused_before_anything_happens(window: Any, tmp_path: Path) -> None:
    (tmp_path / "taken.sensiview").mkdir()
    window.action_set["new_project"].trigger()
    dialog = window.dialog("new_project")
    dialog.folder.setText(str(tmp_path))
    dialog.title.setText("taken")
    assert not dialog.create_button.isEnabled()
    assert "is there already" in dialog.note.text()


def test_that_a_folder_that_is_no_project_is_refused_with_a_sentence(window: Any, tmp_path: Path) -> None:
    window.commands.open_path(tmp_path)
    assert str(tmp_path.name) in window.dialog("error").sentence.text()
    assert window.session.project is None


class TestImport:
    def import_dialog(self, window: Any, path: Path, wait_until: Any) -> Any:
        window.commands.import_path(path)
        dialog = window.dialog("import_table")
        wait_until(lambda: dialog.import_button.isEnabled() or dialog.problem.isVisible())
        return dialog

    def test_that_the_dialog_shows_what_was_understood_and_imports_it(
        self, open_window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        path = tmp_path / "german.csv"
        rows = [f"{150 + i},5;{i % 7};{i % 2}" for i in range(30)]
        path.write_text("\n".join(["Größe;Zahl;Outcome", *rows]), encoding="cp1252")
        dialog = self.import_dialog(open_window, path, wait_until)
        assert dialog.fields.fixed == {}
        shown = {name: dialog.fields._fields[name].currentData() for name in ("delimiter", "decimal", "encoding")}
        assert shown == {"delimiter": ";", "decimal": ",", "encoding": "cp1252"}
        model = dialog.preview.model()
        assert model.names == ["Größe", "Zahl", "Outcome"]
        assert model.index(1, 0).data() == "151.5"
        assert dialog.target.currentData() == "Outcome"
        dialog.name.setText("German")
        dialog.import_button.click()
        wait_until(lambda: len(open_window.session.datasets()) == 2)
        card = open_window.session.dataset.card
        assert (card.name, card.n_rows, card.features, card.target) == ("German", 30, ("Größe", "Zahl"), "Outcome")
        assert open_window.centre.page == "dataset"

    def test_that_another_choice_is_shown_in_the_preview_at_once(
        self, open_window: Any, table_file: Path, wait_until: Any
    ) -> None:
        dialog = self.import_dialog(open_window, table_file, wait_until)
        header = dialog.fields._fields["header"]
        header.setChecked(False)
        wait_until(lambda: dialog.preview.model().names[0] == "column_1")
        dialog.fields.again.click()
        wait_until(lambda: dialog.preview.model().names[0] == "age")

    def test_that_columns_can_be_left_out_and_read_as_text(
        self, open_window: Any, table_file: Path, wait_until: Any
    ) -> None:
        dialog = self.import_dialog(open_window, table_file, wait_until)
        dialog.columns.kind_wanted.emit(["age"], "out")
        wait_until(lambda: dialog.preview.model().names == ["Größe, cm", "weight", "Outcome"])
        dialog.columns.kind_wanted.emit(["weight"], "text")
        wait_until(lambda: dict(dialog._understood.options.kinds).get("weight") == "text")
        dialog.columns.kind_wanted.emit(["age"], "number")
        wait_until(lambda: "age" in dialog.preview.model().names)

    def test_that_text_among_numbers_comes_with_its_remedies(
        self, open_window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        path = tmp_path / "late.csv"
        rows = [f"{i},{i * 2},{i % 2}" for i in range(5000)]
        rows[4321] = "7,none given,1"
        path.write_text("\n".join(["a,b,y", *rows]), encoding="utf-8")
        dialog = self.import_dialog(open_window, path, wait_until)
        dialog.import_button.click()
        wait_until(dialog.problem.isVisible)
        assert "'b'" in dialog.problem.text()
        assert "'none given'" in dialog.problem.text()
        dialog.as_missing.click()
        wait_until(dialog.import_button.isEnabled)
        dialog.import_button.click()
        wait_until(lambda: len(open_window.session.datasets()) == 2)
        assert open_window.session.dataset.card.column("b").missing == 1

    @pytest.mark.parametrize("content, said", [(b"", "empty"), (b"a\n1\n2\n", "one column"), (b"a,b\n", "no rows")])
    def test_that_a_file_that_is_no_table_is_refused_in_the_dialog(
        self, open_window: Any, tmp_path: Path, wait_until: Any, content: bytes, said: str
    ) -> None:
        path = tmp_path / "bad.csv"
        path.write_bytes(content)
        dialog = self.import_dialog(open_window, path, wait_until)
        assert said in dialog.problem.text()
        assert not dialog.import_button.isEnabled()


def test_that_another_target_is_chosen_and_taken_back(open_window: Any, wait_until: Any) -> None:
    session = open_window.session
    open_window.action_set["set_target"].trigger()
    dialog = open_window.dialog("target")
    assert dialog.choice.currentData() == "Outcome"
    dialog.choice.setCurrentIndex(dialog.choice.findData("weight"))
    dialog.findChild(QPushButton, "choose_target_button").click()
    wait_until(lambda: session.dataset.card.target == "weight")
    assert "Outcome" in session.dataset.card.features
    open_window.action_set["undo"].trigger()
    assert session.dataset.card.target == "Outcome"
    assert session.dataset.card.class_counts == {"0": 20, "1": 20}


def test_that_the_trash_restores(open_window: Any) -> None:
    session = open_window.session
    run = session.runs()[0].id
    session.delete("run", run)
    open_window.action_set["trash"].trigger()
    dialog = open_window.dialog("trash")
    dialog.restore_button.click()
    assert session.run_record(run) is not None
    assert not dialog.restore_button.isEnabled()


def test_that_preferences_take_effect_and_are_kept(window: Any, qapp: QApplication, own_home: Path) -> None:
    window.action_set["preferences"].trigger()
    dialog = window.dialog("preferences")
    try:
        dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
        assert theme().name == "dark"
        dialog.batch_size.setValue(512)
        kept = json.loads((own_home / "settings.json").read_text(encoding="utf-8"))
        assert (kept["theme"], kept["batch_size"]) == ("dark", 512)
        assert window.session.settings.batch_size == 512
    finally:
        apply_theme(qapp, "light")


def test_that_an_error_shows_its_sentence_first_and_copies_a_report(window: Any) -> None:
    window.session.problem.emit(SensiViewError("The disk is full. Make room.", details="OSError: 28"))
    dialog = window.dialog("error")
    assert dialog.sentence.text() == "The disk is full. Make room."
    assert not dialog.details.isVisible()
    dialog.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert "The disk is full" in copied
    assert "OSError: 28" in copied
    assert "SensiView" in copied


class TestModels:
    def add_dialog(self, window: Any, weights: Path, workers: list[Any], wait_until: Any) -> Any:
        window.commands.take_files([weights])
        dialog = window.dialog("add_model")
        wait_until(lambda: workers and workers[-1].tasks, what="the inspection")
        return dialog

    def test_that_weights_that_fit_are_added_with_their_table_of_keys(
        self, open_window: Any, tmp_path: Path, workers: list[Any], wait_until: Any
    ) -> None:
        import pandas as pd

        from sensiview.analysis.item_files import write_items
        from sensiview.analysis.items import IndexTable
        from sensiview.models.card import ModelCard

        weights = tmp_path / "my net.pth"
        weights.write_bytes(b"x")
        dialog = self.add_dialog(open_window, weights, workers, wait_until)
        assert not dialog.add_button.isEnabled()
        task = workers[-1].tasks[0]
        assert task.kind == "inspection"
        card = ModelCard(name="my net", architecture="diabetes_net", input_shape=(3,), n_parameters=51)
        (task.directory / "model_card.json").write_text(card.model_dump_json(), encoding="utf-8")
        keys = pd.DataFrame([["fn1.weight", "fits", "", ""]], columns=["key", "state", "file_shape", "model_shape"])
        write_items({"keys": IndexTable(title="Keys", frame=keys, keys=("key",), values=())}, task.directory)
        workers[-1].say(Succeeded(task.run, items=("keys",), evaluations=0, seconds=0.1))
        wait_until(dialog.add_button.isEnabled)
        assert "They fit: 51 parameters, 3 inputs" in dialog.verdict.text()
        assert dialog.keys.topLevelItem(0).text(0) == "fn1.weight"
        dialog.add_button.click()
        wait_until(lambda: len(open_window.session.models()) == 2)
        assert open_window.session.model.card.input_names == ("age", "Größe, cm", "weight")
        wait_until(lambda: not workers[-1].alive, what="the end of the inspection's worker")

    def test_that_weights_that_do_not_fit_say_which_keys(
        self, open_window: Any, tmp_path: Path, workers: list[Any], wait_until: Any
    ) -> None:
        from sensiview.models.key_report import KeyReport

        weights = tmp_path / "other.pth"
        weights.write_bytes(b"x")
        dialog = self.add_dialog(open_window, weights, workers, wait_until)
        report = KeyReport(("b",), missing=(("fn1.weight", (10, 8)),), misshaped=(("fn2.bias", (3,), (1,)),))
        run = workers[-1].tasks[0].run
        workers[-1].say(Failed(run, sentence=report.sentence("other.pth"), details=report.as_text(), user_error=True))
        wait_until(lambda: "do not fit" in dialog.verdict.text())
        rows = [[dialog.keys.topLevelItem(i).text(c) for c in range(4)] for i in range(dialog.keys.topLevelItemCount())]
        assert rows == [
            ["fn2.bias", "other shape", "(3)", "(1)"], ["fn1.weight", "missing in the file", "", "(10, 8)"],
        ]  # fmt: skip
        assert not dialog.add_button.isEnabled()

    def test_that_preprocessing_needs_as_many_deviations_as_means(self, open_window: Any) -> None:
        open_window.action_set["add_model"].trigger()
        fields = open_window.dialog("add_model").preprocessing
        fields.kind.setCurrentIndex(1)
        fields.mean.setText("1, 2")
        fields.std.setText("1")
        with pytest.raises(SensiViewError, match="one standard deviation per input"):
            fields.value()
        fields.fill.click()
        assert len(fields.value()["mean"]) == 3

    def test_that_training_starts_with_the_architecture_s_own_recipe(
        self, open_window: Any, workers: list[Any], wait_until: Any
    ) -> None:
        open_window.action_set["train"].trigger()
        dialog = open_window.dialog("train")
        wait_until(dialog.train_button.isEnabled)
        assert dialog._usual.values()["epochs"] == 2000
        dialog._usual.field("epochs").setValue(7)
        dialog.name.setText("mine")
        dialog.train_button.click()
        wait_until(lambda: workers and workers[0].tasks)
        task = workers[0].tasks[0]
        assert (task.kind, task.model.card.architecture, task.parameters["epochs"]) == ("training", "diabetes_net", 7)
        assert task.parameters["train_rows"] == "0-499"
        assert open_window.centre.page == "results"


def test_that_a_plugin_runs_only_after_it_was_trusted(window: Any, own_home: Path, wait_until: Any) -> None:
    from sensiview import locations

    folder = own_home / "plugins" / "mine"
    source = locations.bundled_plugins() / "permutation_importance"
    folder.mkdir(parents=True)
    for file in source.iterdir():
        if file.suffix in (".py", ".toml", ".md"):
            text = file.read_text(encoding="utf-8").replace("permutation_importance", "mine")
            (folder / file.name.replace("permutation_importance", "mine")).write_text(text, encoding="utf-8")
    window.action_set["plugins"].trigger()
    dialog = window.dialog("plugins")
    wait_until(lambda: dialog.tree.topLevelItemCount() >= 2)
    item = next(
        i for i in map(dialog.tree.topLevelItem, range(dialog.tree.topLevelItemCount())) if "waits" in i.text(2)
    )
    dialog.tree.setCurrentItem(item)
    assert "SHA-256" in dialog.details.text()
    assert "mine" not in window.session.catalogue
    dialog.trust_button.click()
    wait_until(lambda: "mine" in window.session.catalogue)
