"""How a network is trained: plain values, for forms, commands and records. Loads no torch."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


def _numbers(value: Any) -> Any:
    """Take ``8,16,32``, ``[8, 16, 32]`` or ``61x73x61`` for a list of whole numbers; anything but text is as it was."""
    if not isinstance(value, str):
        return value
    inside = value.strip().removeprefix("(").removeprefix("[").removesuffix(")").removesuffix("]").strip(" ,;")
    parts = re.split(r"\s*[,;x]\s*|\s+", inside) if inside else []
    if not all(re.fullmatch(r"-?\d{1,9}", part) for part in parts):
        raise ValueError(f"'{value}' is no list of whole numbers such as 8,16,32")
    return tuple(int(part) for part in parts)


def _whole(value: Any) -> Any:
    """Take ``3`` as text, as commands have it, for a number; anything else is as it was."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


Numbers = Annotated[tuple[Annotated[int, Field(ge=0, le=1_000_000)], ...], BeforeValidator(_numbers)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...], BeforeValidator(_numbers)]
# A last layer that begins from nothing learns alone with larger steps than a whole network that is only adapted.
FROZEN_FACTOR = 10.0
KernelSize = Annotated[Literal[3, 5, 7], BeforeValidator(_whole)]


def _field(default: Any, label: str, text: str, **bounds: Any) -> Any:
    return Field(default, title=label, description=text, **bounds)


def _volumes_field(default: Any, label: str, text: str, **bounds: Any) -> Any:
    """Declare a setting that trainings on volumes have and others don't; forms can tell by ``for`` in the schema."""
    return _field(default, label, text, json_schema_extra={"for": ["volumes"]}, **bounds)


def _images_field(default: Any, label: str, text: str, **bounds: Any) -> Any:
    """Declare a setting of trainings on images."""
    return _field(default, label, text, json_schema_extra={"for": ["images"]}, **bounds)


def _spatial_field(default: Any, label: str, text: str, **bounds: Any) -> Any:
    """Declare a setting of trainings on volumes and on images."""
    return _field(default, label, text, json_schema_extra={"for": ["images", "volumes"]}, **bounds)


class TrainingRecipe(BaseModel):
    """The settings of one training run. Every architecture has its own defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    epochs: int = _field(200, "Epochs", "How often every training row is seen.", ge=1, le=1_000_000)
    learning_rate: float = _field(1e-3, "Learning rate", "Size of the steps.", gt=0, le=10)
    weight_decay: float = _field(0.0, "Weight decay", "How strongly weights are drawn towards zero.", ge=0, le=1)
    momentum: float = _field(0.0, "Momentum", "Of the previous step in the next one; for SGD only.", ge=0, lt=1)
    optimiser: Literal["sgd", "adam", "adamw"] = _field("adam", "Optimiser", "How steps follow from gradients.")
    batch_size: int = _field(64, "Batch size", "Rows per step; 0 takes all training rows at once.", ge=0)
    train_rows: str = _field(
        "",
        "Training rows",
        "Numbers from 0, such as '0-499,600'; of images also names and 'column=value'. Empty: what the images' own "
        "column of splits says (train, val, test), else drawn at random.",
        max_length=100_000,
    )
    test_rows: str = _field(
        "", "Test rows", "Rows kept for testing. Empty: those that are not trained on.", max_length=100_000
    )
    test_share: float = _field(
        0.2, "Share for testing", "Where no rows are given, and no column of splits: how many.", gt=0, lt=1
    )
    loss: Literal["auto", "binary_cross_entropy", "cross_entropy", "mean_squared_error"] = _field(
        "auto", "Loss", "What is made small; 'auto' follows from the network's output."
    )
    class_weights: Literal["none", "balanced"] | list[float] = _field(
        "none", "Class weights", "'balanced' lets rare classes count as much as common ones; or one number per class."
    )
    standardise: bool = _field(
        True, "Standardise", "Mean 0 and standard deviation 1 per column, from the training rows; part of the model."
    )
    early_stopping: int = _field(
        0, "Stop early", "Epochs without a better test loss before it ends with the best weights; 0 never.", ge=0
    )

    folds: int = _spatial_field(
        0,
        "Folds",
        "Subjects (images: groups) are divided into so many parts of equal size, classes in equal shares; 0 for none.",
        ge=0,
        le=1000,
    )
    fold: int = _spatial_field(0, "Fold", "The part that is tested on, from 0; the others are trained on.", ge=0)
    run: int = _spatial_field(
        0, "Run", "Number of this training among several with different seeds; kept with the model.", ge=0
    )
    split_seed: int = _spatial_field(
        0,
        "Seed of the split",
        "Draws folds and test subjects (images: groups), the same for all runs; 0 takes the folds kept with the data "
        "set, or seed 1.",
        ge=0,
        le=2**32 - 1,
    )
    validation_share: float = _spatial_field(
        0.0,
        "Share for validation",
        "Of the training subjects; they decide when to stop early or to slow down. 0 leaves that to the test subjects.",
        ge=0,
        lt=1,
    )
    intensity: Literal["auto", "none", "percentile", "minmax", "zscore"] = _volumes_field(
        "auto",
        "Intensity",
        "How each volume is scaled; part of the model. 'auto': not at all for values in 0 to 1, else by percentile.",
    )
    fit: Counts = _volumes_field(
        (),
        "Fit",
        "Voxels along i, j and k to which each volume is padded or cropped about its centre; empty: none.",
        max_length=3,
    )
    augmentation: Literal["none", "flip", "shift", "intensity", "all"] = _volumes_field(
        "none",
        "Augmentation",
        "Changes at random while training: left and right exchanged, moved by up to two voxels, brighter or darker "
        "with noise, or all three.",
    )
    schedule: Literal["constant", "cosine", "plateau", "step", "one_cycle"] = _spatial_field(
        "constant",
        "Schedule",
        "Of the learning rate: as it is; falling to 0 along a cosine; halved after 5 epochs without a better loss; "
        "falling by steps; or rising to it and falling to 0 in one cycle.",
    )
    warm_up: float = _spatial_field(
        0.0, "Warm-up", "Epochs in which the learning rate rises from 0; not with one cycle.", ge=0, le=1000
    )
    step_epochs: int = _spatial_field(
        10, "Epochs per step", "For the schedule 'step': after how many epochs the rate falls.", ge=1
    )
    step_factor: float = _spatial_field(
        0.1, "Factor per step", "For the schedule 'step': what the rate is multiplied with.", gt=0, lt=1
    )
    size: Counts = _images_field(
        (),
        "Image size, pixels",
        "Height and width, or one number, that the network sees; empty: its usual size. Images are squeezed to it.",
        max_length=2,
    )
    normalise: Literal["auto", "imagenet", "half", "data", "none"] = _images_field(
        "auto",
        "Normalise",
        "Mean and standard deviation per channel; part of the model. 'auto': those of the network; 'half': 0.5 each; "
        "'data': those of the training images.",
    )
    freeze: bool = _images_field(
        False,
        "Last layer only",
        "Keep the weights of all other layers, for fine-tuning a trained network. The learning rate is then ten times "
        "that of the architecture unless it is given.",
    )
    flip: bool = _images_field(False, "Flip", "While training, exchange left and right of every second image.")
    crop_padding: int = _images_field(
        0, "Crop, pixels", "While training, move images by up to so many pixels, black coming in.", ge=0, le=1024
    )
    rotation: float = _images_field(
        0.0, "Rotate, degrees", "While training, turn images by up to so many degrees, black coming in.", ge=0, le=180
    )
    colour_jitter: float = _images_field(
        0.0,
        "Colour jitter, share",
        "While training, change brightness, contrast and saturation by up to this share.",
        ge=0,
        le=1,
    )
    mixed_precision: bool = _images_field(
        False, "Mixed precision", "Compute in 16 bits where that is safe; on NVIDIA GPUs only, elsewhere ignored."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.folds == 1:
            raise ValueError("folds: 2 or more are needed, or 0 for none")
        if self.fold >= max(1, self.folds):
            raise ValueError(f"fold: there are {self.folds} folds, counted from 0; fold {self.fold} is not one of them")
        if len(self.fit) not in (0, 3) or 0 in self.fit:
            raise ValueError("fit: three numbers of voxels such as 61,73,61 are needed, or none")
        if 0 in self.size:
            raise ValueError("size: height and width must be at least 1")
        return self

    def foreign(self, kind: str) -> list[str]:
        """Return the settings that are set and that this kind of data (``table``, ``images``, ``volumes``) lacks."""
        return [
            name
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict)
            and kind not in cast("list[str]", field.json_schema_extra.get("for", [kind]))
            and getattr(self, name) != field.default
        ]

    @field_validator("class_weights")
    @classmethod
    def _positive(cls, value: Any) -> Any:
        if isinstance(value, list) and (not value or min(value) < 0 or max(value) <= 0):
            raise ValueError("class weights must be 0 or larger, and one of them larger")
        return value
