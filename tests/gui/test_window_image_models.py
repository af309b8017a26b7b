"""Image networks in the window: their preprocessing, and a training that starts from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QTreeWidgetItemIterator,
    QWidget,
)

from sensiview.datasets.card import DatasetCard
from sensiview.gui.dialogs.add_model import AddModelDialog
from sensiview.gui.dialogs.train import TrainDialog
from sensiview.gui.model_facts import sections
from sensiview.gui.model_pane import ModelPane
from sensiview.gui.session import Session
from sensiview.models.image_settings import torchvision_settings
from sensiview.numerics.example_images import example_network
from tests.gui.sample_session import make_session

pytestmark = pytest.mark.needs_display
Wait = Callable[..., None]


@pytest.fixture
def session(tmp_path: Path, qapp: QApplication) -> Iterator[Session]:
    """A project with images and one network for them, both chosen."""
    found = make_session(tmp_path, sources=False)
    project = found.require_project()
    picture, weights = tmp_path / "a.png", tmp_path / "w.safetensors"
    picture.write_bytes(b"picture")
    weights.write_bytes(b"weights")
    frames = DatasetCard(
        name="frames", kind="images", n_rows=604, target="class", class_counts={"covid": 94, "regular": 510},
        extra={"names": [], "groups": [], "channels": 3, "range": [0.0, 1.0]},
    )  # fmt: skip
    card = example_network().card.model_copy(
        update={
            "name": "lungs", "architecture": "squeezenet1_1", "preprocessing": torchvision_settings().to_card(),
            "training": {
                "from": "imagenet", "dataset": "frames", "counts": {"train": 461, "test": 143},
                "class_accuracy": {"covid": 0.96, "regular": 0.885}, "epochs": 12, "best_epoch": 9,
            },
        }
    )  # fmt: skip
    dataset = project.add_dataset(frames, [picture])
    model = project.add_model(card, weights=weights)
    for kind in ("dataset", "model"):
        found.entries_changed(kind)
    found.select_dataset(dataset.id)
    found.select_model(model.id)
    yield found
    found.jobs.shut_down()
    found.close_project(quiet=True)


def field(dialog: QWidget, kind: type[Any], name: str) -> Any:
    found = dialog.findChild(kind, name)
    assert found is not None, name
    return found


def test_that_a_training_on_images_has_its_settings(session: Session, wait_until: Wait) -> None:
    dialog = TrainDialog(session)
    dialog.show()
    wait_until(lambda: dialog.architecture.count() > 80, 20)
    assert (
        dialog.findChild(QWidget, "train_data").text() == "On 'frames': 604 images, class: covid (94), regular (510)."
    )
    assert dialog.architecture.findData("mlp") < 0
    dialog.architecture.setCurrentIndex(dialog.architecture.findData("vgg16_cifar"))
    for name in ("recipe_flip", "recipe_rotation", "recipe_schedule", "recipe_colour_jitter", "recipe_mixed_precision"):
        assert dialog.findChild(QWidget, name) is not None, name
    for name in ("recipe_fit", "recipe_freeze", "recipe_standardise", "option_num_classes"):
        assert dialog.findChild(QWidget, name) is None, name
    assert field(dialog, QSpinBox, "option_size").text() == "usual size"
    assert not dialog.freeze.isEnabled()
    field(dialog, QCheckBox, "recipe_flip").setChecked(True)
    dialog.train_button.click()
    run = session.require_project().runs()[-1]
    assert run.parameters["architecture"] == "vgg16_cifar"
    assert run.parameters["recipe"]["flip"] is True
    assert "base" not in run.parameters


def test_that_a_training_starts_from_a_model(session: Session, wait_until: Wait) -> None:
    dialog = TrainDialog(session)
    dialog.show()
    wait_until(lambda: dialog.base.count() == 2, 20)
    dialog.base.setCurrentIndex(1)
    assert dialog.architecture.currentData() == "squeezenet1_1"
    assert not dialog.architecture.isEnabled()
    assert dialog.name.text() == "lungs, further"

    # The form of the architecture before may still wait to be deleted.
    def rates() -> list[QDoubleSpinBox]:
        return [box for box in dialog.findChildren(QDoubleSpinBox, "recipe_learning_rate") if box.isVisible()]

    wait_until(rates, 5)
    (rate,) = rates()
    assert rate.value() == pytest.approx(1e-4)
    dialog.freeze.setChecked(True)
    assert rate.value() == pytest.approx(1e-3)
    dialog.freeze.setChecked(False)
    assert rate.value() == pytest.approx(1e-4)
    dialog.freeze.setChecked(True)
    dialog.train_button.click()
    run = session.require_project().runs()[-1]
    assert run.parameters["base"] == session.models()[0].id
    assert run.parameters["recipe"]["freeze"] is True
    assert run.name == "lungs, further"


def test_that_going_back_to_random_weights_frees_the_form(session: Session, wait_until: Wait) -> None:
    dialog = TrainDialog(session)
    dialog.show()
    wait_until(lambda: dialog.base.count() == 2, 20)
    dialog.base.setCurrentIndex(1)
    dialog.freeze.setChecked(True)
    dialog.base.setCurrentIndex(0)
    assert dialog.architecture.isEnabled()
    assert not dialog.freeze.isChecked()
    dialog.reject()


def test_that_preprocessing_of_images_is_shown_and_set_by_hand(session: Session, wait_until: Wait) -> None:
    dialog = AddModelDialog(session)
    dialog.show()
    wait_until(lambda: dialog.architecture.count() > 80, 20)
    fields = dialog.preprocessing
    dialog.architecture.setCurrentIndex(dialog.architecture.findData("efficientnet_b3"))
    assert fields.value() == {}
    assert "shorter side resized to 320 pixels (bicubic)" in fields.own.text()
    assert "the middle 300 × 300 pixels" in fields.own.text()
    fields.kind.setCurrentIndex(fields.kind.findData("image"))
    made = fields.value()
    assert (made["resize"], made["size"], made["interpolation"]) == (320, [300, 300], "bicubic")
    values = field(dialog, QComboBox, "image_values")
    values.setCurrentIndex(values.findData("halves"))
    assert (fields.value()["mean"], fields.value()["std"]) == ([0.5], [0.5])
    fields.images.mean.setText("0.1, 0.2")
    fields.images.mean.textEdited.emit("0.1, 0.2")
    assert values.currentData() == "own"
    dialog._timer.stop()
    dialog.file.setText(str(session.models()[0].weights.path))
    dialog._timer.stop()
    dialog._check()
    assert "'mean' has 2 numbers for 3 channels" in dialog.verdict.text()
    fields.images.mean.setText("0.1")
    fields.images.size_box.setText("12 by 3")
    dialog._check()
    assert "one or two whole numbers of pixels" in dialog.verdict.text()
    dialog.architecture.setCurrentIndex(dialog.architecture.findData("mlp"))
    assert fields.kind.findData("image") < 0
    assert fields.value() == {"kind": "none"}
    dialog.reject()


def test_that_the_model_pane_tells_what_happens_to_images_and_where_it_comes_from(session: Session) -> None:
    source = session.models()[0]
    told = {name: value for _, pairs in sections(source) for name, value in pairs}
    assert told["Resized"] == "shorter side to 256 pixels (bilinear)"
    assert told["Cut out"] == "the middle 224 × 224 pixels"
    assert told["Mean"] == "0.485, 0.456, 0.406"
    assert told["Started from"] == "imagenet"
    assert told["Accuracy, covid"] == "96.0 %"
    assert told["Inputs"] == "train 461, test 143"


def test_that_a_layer_used_again_is_shown_under_each_name(session: Session) -> None:
    pane = ModelPane(session)
    pane.show()
    rows = {}
    step = QTreeWidgetItemIterator(pane.layers)
    while step.value():
        item = step.value()
        rows[item.data(0, Qt.ItemDataRole.UserRole)] = [item.text(column) for column in range(4)]
        step += 1
    assert rows["2"] == ["2", "MaxPool2d", "4 × 8 × 8", ""]
    assert rows["5"] == ["5", "MaxPool2d", "6 × 4 × 4", "as 2"]
    pane.close()
    pane.deleteLater()
