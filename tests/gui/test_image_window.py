"""Images in the real window: import, the browser, duplicates, a model's answers, and the target column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from sensiview.analysis.classification_items import Answers, classification_items
from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import Note
from sensiview.gui.background import busy
from sensiview.importing import add_images
from sensiview.models.card import ModelCard
from tests.datasets.image_samples import class_folders, colours, picture
from tests.datasets.test_image_opening import loop

pytestmark = pytest.mark.needs_display


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Iterator[Any]:
    """Return the window with an empty project; errors are kept instead of shown."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.session.jobs.paused = True
    window.said = []
    window.session.problem.disconnect(window.show_problem)
    window.session.problem.connect(lambda error: window.said.append(error.sentence))
    yield window
    for dialog in list(window.dialogs._dialogs.values()):
        dialog.close()


def dialog_of(window: Any, wait_until: Any) -> Any:
    wait_until(lambda: window.dialog("import_images") is not None, 10, "the dialog")
    wait_until(lambda: not busy(), 20, "the dialog to have looked")
    return window.dialog("import_images")


def texts(widget: Any) -> str:
    return "\n".join(widget.item(row).text() for row in range(widget.count()))


def add(window: Any, paths: list[Path], **choices: Any) -> Any:
    source = add_images(window.session.project, paths, **choices).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    return source


def page_of(window: Any, wait_until: Any) -> Any:
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.images is not None and pane.images._loaded is not None, 20, "the images")
    wait_until(lambda: not busy(), 20, "thumbnails")
    return pane.images


def show_tab(page: Any, name: str) -> None:
    page.tabs.setCurrentIndex(next(i for i in range(page.tabs.count()) if page.tabs.widget(i).property("tab") == name))


def named(page: Any) -> list[str]:
    """Return the names of the images that the grid shows."""
    return [page.browser.grid.images.index(row).data() for row in range(page.browser.grid.images.rowCount())]


class TestImport:
    def test_that_a_dropped_folder_becomes_a_data_set(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        folder = class_folders(tmp_path / "Füße & Hände")
        (folder / "cat" / "broken.png").write_bytes(b"no")
        window.tree.files_dropped.emit([folder])
        dialog = dialog_of(window, wait_until)
        assert "6 images" in dialog.sentence.text()
        assert "2 classes: cat 3, dog 3" in dialog.sentence.text()
        assert "broken.png is damaged" in texts(dialog.findings)
        assert dialog.table.view.model().rowCount() == 6
        dialog.name.setText("Pets")
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 20)
        wait_until(lambda: window.dialog("import_images") is None)
        card = window.session.dataset.card
        assert (card.name, card.kind, card.n_rows, card.target) == ("Pets", "images", 6, "class")
        assert window.centre.page == "dataset"
        page = page_of(window, wait_until)
        assert page.browser.grid.images.rowCount() == 6
        assert window.said == []

    @pytest.mark.parametrize("what", ["pictures", "table", "array", "loop"])
    def test_that_dropped_files_open_the_dialog_of_images(
        self, window: Any, tmp_path: Path, wait_until: Any, what: str
    ) -> None:
        class_folders(tmp_path / "img")
        (tmp_path / "t.csv").write_text("path,label\nimg/cat/0.png,a\nimg/dog/0.png,b\n")
        np.save(tmp_path / "a.npy", np.zeros((2, 6, 6), np.uint8))
        dropped = {
            "pictures": [tmp_path / "img" / "cat" / "0.png", tmp_path / "img" / "dog" / "0.png"],
            "table": [tmp_path / "t.csv"],
            "array": [tmp_path / "a.npy"],
            "loop": [loop(tmp_path / "us.dcm", np.zeros((2, 6, 8), np.uint8))],
        }
        window.commands.take_files(dropped[what])
        assert "2 images" in dialog_of(window, wait_until).sentence.text()

    def test_that_another_column_can_be_chosen_and_one_of_names_is_refused(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        class_folders(tmp_path / "img", each=8)
        rows = "".join(f"img/{c}/{k}.png,{c},{k % 2},img/{c}/{k}.png\n" for c in ("cat", "dog") for k in range(8))
        (tmp_path / "t.csv").write_text("path,label,second,who\n" + rows)
        window.commands.import_image_paths([tmp_path / "t.csv"])
        dialog = dialog_of(window, wait_until)
        assert dialog.target.currentData() == "label"
        for name in ("who", "second"):
            dialog.target.setCurrentIndex(dialog.target.findData(name))
            dialog.target.activated.emit(dialog.target.currentIndex())
            if name == "who":
                assert "rather than classes" in dialog.problem.text()
                assert not dialog.import_button.isEnabled()
        assert "2 classes: 0 8, 1 8" in dialog.sentence.text()
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 20)
        assert window.session.datasets()[0].card.class_counts == {"0": 8, "1": 8}

    def test_that_a_folder_without_images_says_so(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        (tmp_path / "empty").mkdir()
        window.commands.import_image_paths([tmp_path / "empty"])
        dialog = dialog_of(window, wait_until)
        assert "There is no image in" in dialog.problem.text()
        assert not dialog.import_button.isEnabled()

    def test_that_fewer_frames_are_taken_when_asked(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        np.save(tmp_path / "a.npy", np.zeros((9, 6, 6), np.uint8))
        window.commands.import_image_paths([tmp_path / "a.npy"])
        dialog = dialog_of(window, wait_until)
        dialog.frames.setValue(4)
        dialog.frames.editingFinished.emit()
        wait_until(lambda: not busy() and "4 images" in dialog.sentence.text(), 20)


class TestBrowser:
    def test_that_thumbnails_come_and_a_click_shows_the_image_large(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [class_folders(tmp_path / "pets")])
        page = page_of(window, wait_until)
        grid = page.browser.grid
        wait_until(lambda: all(grid.images.is_made(place) for place in range(6)), 20, "thumbnails")
        third = grid.visualRect(grid.images.index(3)).center()
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=third)
        wait_until(lambda: not busy(), 20)
        assert page.browser.name.text() == "dog/0.png"
        assert "class dog" in page.browser.facts.text()
        np.testing.assert_allclose(
            page.browser.picture._pixels, np.moveaxis(colours(10), 2, 0) / np.float32(255), atol=1e-6
        )

    def test_that_pointing_at_a_pixel_reads_its_value(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        add(window, [class_folders(tmp_path / "pets")])
        page = page_of(window, wait_until)
        view = page.browser.picture
        area = view._area()
        x, y = 2, 4
        place = QPointF(
            area.left() + (x + 0.5) * area.width() / 8, area.top() + (y + 0.5) * area.height() / 6
        ).toPoint()
        QTest.mouseMove(view, place)
        QTest.mouseMove(view, place + QPoint(1, 0))
        wait_until(lambda: page.browser.readout.text().startswith(f"x {x}, y {y}"), 5)
        red, green, blue = colours(0)[y, x]
        assert f"{red}, {green}, {blue}" in page.browser.readout.text()
        view._zoom(4.0, QPointF(place))
        assert view.pixel_at(QPointF(place)) == (x, y)  # the pixel under the cursor stays there

    def test_that_filters_narrow_the_grid(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        for split in ("train", "test"):
            class_folders(tmp_path / "set" / split, each=2)
        add(window, [tmp_path / "set"])
        page = page_of(window, wait_until)
        filters = page.browser.filters
        filters.classes.setCurrentIndex(filters.classes.findData("dog"))
        filters.classes.activated.emit(0)
        assert named(page) == ["test/dog/0.png", "test/dog/1.png", "train/dog/0.png", "train/dog/1.png"]
        filters.splits.setCurrentIndex(filters.splits.findData("train"))
        filters.splits.activated.emit(0)
        assert named(page) == ["train/dog/0.png", "train/dog/1.png"]
        filters.search.setText("1.PNG")
        wait_until(lambda: named(page) == ["train/dog/1.png"], 5)
        assert filters.count.text() == "1 of 8 images"

    def test_that_a_file_that_is_gone_is_said_and_the_others_are_shown(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        folder = class_folders(tmp_path / "pets")
        add(window, [folder])
        (folder / "cat" / "0.png").unlink()
        page = page_of(window, wait_until)
        grid = page.browser.grid
        wait_until(lambda: grid.images.is_made(0) and grid.images.is_made(5), 20)
        assert grid.images.is_broken(0)
        assert not grid.images.is_broken(5)
        grid.choose(0)
        wait_until(lambda: not busy(), 20)
        assert "can't be found" in page.browser.picture._sentence

    def test_that_thousands_of_images_open_at_once_and_only_the_seen_ones_are_made(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        values = np.random.default_rng(0).integers(0, 256, (20_000, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / "many.npz", images=values, labels=np.arange(20_000) % 10)
        add(window, [tmp_path / "many.npz"])
        page = page_of(window, wait_until)
        assert page.browser.grid.images.rowCount() == 20_000
        wait_until(lambda: page.browser.grid.images.is_made(0), 20)
        assert not page.browser.grid.images.is_made(19_999)
        page.browser.grid.choose(19_999)
        wait_until(lambda: page.browser.grid.images.is_made(19_999), 20)
        assert sum(page.browser.grid.images.is_made(place) for place in range(20_000)) < 2000

    def test_that_another_target_changes_the_classes_and_can_be_undone(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        class_folders(tmp_path / "img")
        rows = "".join(f"img/{c}/{k}.png,{c},{k % 2}\n" for c in ("cat", "dog") for k in range(3))
        (tmp_path / "t.csv").write_text("path,label,second\n" + rows)
        add(window, [tmp_path / "t.csv"])
        page = page_of(window, wait_until)
        page.target.setCurrentIndex(page.target.findData("second"))
        page.target.activated.emit(page.target.currentIndex())
        wait_until(lambda: window.session.dataset.card.target == "second", 20)
        wait_until(lambda: not busy() and page.browser.filters.classes.findData("1") >= 0, 20)
        assert "2 classes: 0 4, 1 2" in page.line.text()
        window.session.undo.undo()
        wait_until(lambda: window.session.dataset.card.target == "label", 20)


class TestDuplicates:
    def test_that_a_leak_is_found_and_shown(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        for row, split in enumerate(("train", "test")):
            for column, name in enumerate(("cat", "dog")):
                for k in range(2):
                    seed = 100 + 10 * row + 5 * column + k
                    picture(tmp_path / "set" / split / name / f"{k}.png", seed=seed, height=32, width=32)
        picture(tmp_path / "set" / "train" / "cat" / "same.png", seed=42, height=32, width=32)
        picture(tmp_path / "set" / "test" / "cat" / "same.png", seed=42, height=32, width=32)
        add(window, [tmp_path / "set"])
        page = page_of(window, wait_until)
        show_tab(page, "duplicates")
        wait_until(lambda: not busy() and page.duplicates._found is not None, 30, "the comparison")
        assert "several sides of the split" in page.duplicates.sentence.text()
        assert page.duplicates.table.texts(0)[:3] == ["2", "every pixel equal", "across the split"]
        wait_until(lambda: page.duplicates.grid.images.rowCount() == 2, 5)
        page.duplicates.image_opened.emit(page.duplicates.grid.images.place(1))
        assert page.tabs.currentWidget() is page.images
        assert page.browser.name.text().endswith("same.png")

    def test_that_a_clean_set_says_so(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        for k in range(4):
            picture(tmp_path / "set" / f"{k}.png", seed=k, height=32, width=32)
        add(window, [tmp_path / "set"])
        page = page_of(window, wait_until)
        show_tab(page, "duplicates")
        wait_until(lambda: page.duplicates._found is not None, 30)
        assert page.duplicates.sentence.text() == "No image occurs twice, and no two are nearly the same."


def with_model(window: Any, tmp_path: Path) -> str:
    weights = tmp_path / "net.safetensors"
    weights.write_bytes(b"never opened here")
    card = ModelCard(
        name="net", architecture="lenet", emits="logit", input_shape=(3, 6, 8), output_names=("cat", "dog"),
        class_names=("cat", "dog"), bytes_per_row=100,
    )  # fmt: skip
    model = window.session.project.add_model(card, weights=weights)
    window.session.entries_changed("model")
    window.session.select_model(model.id)
    return str(model.id)


def answer(window: Any, dataset: Any, model: str) -> str:
    """Put a finished classification into the project: one cat is taken for a dog."""
    names = list(dataset.card.extra["names"])
    truth = [name.split("/")[0] for name in names]
    p = np.array([[0.9, 0.1] if word == "cat" else [0.2, 0.8] for word in truth])
    p[0] = [0.03, 0.97]
    items: dict[str, Any] = dict(
        classification_items(Answers("image", names, names, ("cat", "dog"), p, truth, [""] * len(names)))
    )
    items["note"] = Note(title="What was found", text="5 of 6 images are recognised.")
    project = window.session.project
    run = project.new_run(analysis="classification", dataset=dataset.id, model=model, parameters={}, name="c", seed=1)
    write_items(items, project.run_directory(run.id))
    project.update_run(run.id, state="succeeded", items=list(items), evaluations=6, seconds=0.1)
    window.session.entries_changed("run")
    return str(run.id)


class TestPredictions:
    def test_that_without_a_model_the_page_says_what_to_do(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        add(window, [class_folders(tmp_path / "pets")])
        page = page_of(window, wait_until)
        show_tab(page, "predictions")
        assert "Choose a model" in page.predictions.sentence.text()
        assert not page.predictions.start.isEnabled()

    def test_that_the_button_queues_a_classification(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        add(window, [class_folders(tmp_path / "pets")])
        with_model(window, tmp_path)
        page = page_of(window, wait_until)
        show_tab(page, "predictions")
        assert page.predictions.sentence.text() == "'net' was not asked about these images yet."
        QTest.mouseClick(page.predictions.start, Qt.MouseButton.LeftButton)
        (run,) = window.session.runs()
        assert (run.analysis, run.state) == ("classification", "queued")
        assert "is asked about every image" in page.predictions.sentence.text()
        assert not page.predictions.start.isEnabled()
        assert window.said == []

    def test_that_answers_are_shown_and_lead_to_the_wrong_images(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        source = add(window, [class_folders(tmp_path / "pets")])
        run = answer(window, source, with_model(window, tmp_path))
        page = page_of(window, wait_until)
        show_tab(page, "predictions")
        wait_until(lambda: not busy() and bool(page.answers.by_name), 20, "the answers")
        assert "recognises 5 of 6 images: accuracy 83.3%" in page.predictions.sentence.text()
        assert page.predictions.classes.texts(0)[:2] == ["cat", "3"]
        QTest.mouseClick(page.predictions.wrong, Qt.MouseButton.LeftButton)
        assert named(page) == ["cat/0.png"]
        assert page.browser.grid.images.index(0).data(Qt.ItemDataRole.UserRole) == "cat\n→ dog 0.97"
        assert "answer dog, probability 0.970: wrong" in page.browser.facts.text()
        opened: list[str] = []
        page.run_opened.connect(opened.append)
        show_tab(page, "predictions")
        QTest.mouseClick(page.predictions.open, Qt.MouseButton.LeftButton)
        assert opened == [run]
        assert window.centre.page == "results"
        result = window.results.tabs.currentWidget()
        result.choose("predictions")
        view = result.view()
        wait_until(lambda: not busy(), 20)
        first = view.table.view.model().index(0, 0)
        first.data(Qt.ItemDataRole.DecorationRole)
        wait_until(lambda: not busy(), 20)
        thumbnail = first.data(Qt.ItemDataRole.DecorationRole).toImage()
        red, green, blue = colours(0)[0, 0]
        assert thumbnail.pixelColor(1, 1).getRgb()[:3] == (red, green, blue)

    def test_that_a_cell_of_the_confusion_matrix_shows_its_images(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        source = add(window, [class_folders(tmp_path / "pets")])
        answer(window, source, with_model(window, tmp_path))
        page = page_of(window, wait_until)
        show_tab(page, "predictions")
        wait_until(lambda: page.predictions.confusion is not None, 20)
        page.predictions.confusion.picked.emit(0)  # cats that are recognised
        assert page.tabs.currentWidget() is page.images
        assert named(page) == ["cat/1.png", "cat/2.png"]
        assert page.browser.filters.count.text() == "2 of 6 images, taken for cat"

    def test_that_another_model_has_answers_of_its_own(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        source = add(window, [class_folders(tmp_path / "pets")])
        first = with_model(window, tmp_path)
        answer(window, source, first)
        page = page_of(window, wait_until)
        wait_until(lambda: bool(page.answers.by_name), 20)
        with_model(window, tmp_path)
        assert page.answers.by_name == {}
        assert page.browser.filters.answers.isHidden()
        window.session.select_model(first)
        wait_until(lambda: bool(page.answers.by_name), 20)


def test_that_tables_columns_sizes_and_notes_have_their_tabs(window: Any, tmp_path: Path, wait_until: Any) -> None:
    picture(tmp_path / "set" / "cat" / "a.png", seed=1)
    picture(tmp_path / "set" / "dog" / "b.png", seed=2, height=9)
    add(window, [tmp_path / "set"])
    page = page_of(window, wait_until)
    assert page.tabs.isTabVisible(page.tabs.indexOf(page.sizes))
    show_tab(page, "table")
    assert page.table.texts(1)[:3] == ["dog/b.png", "dog", "9 × 8"]
    show_tab(page, "file")
    assert any("2 different sizes" in value for _, pairs in page.facts._sections for _, value in pairs)


def test_that_an_unreadable_project_entry_is_a_sentence(window: Any, tmp_path: Path, wait_until: Any) -> None:
    source = add(window, [class_folders(tmp_path / "pets")])
    damaged = source.card.model_copy(update={"reading": {"images": {}, "ranges": {}}})
    window.session.project.update_dataset_card(source.id, damaged)
    window.session.entries_changed("dataset")
    window.centre.show_page("dataset")
    wait_until(lambda: bool(window.said), 20)
    assert "is damaged. Add the images again" in window.said[0]
