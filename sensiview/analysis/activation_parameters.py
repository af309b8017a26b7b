"""What activation maximisation asks for, and what can be said about it from the cards alone. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import field_validator

from sensiview.analysis.image_choice import Images, as_selection, image_count, pixels, seen_shape
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.activation_aims import parse_aims

Start = Literal["noise", "image", "own_class", "other_class", "cross"]
# Pictures, snapshots and their copies on the way into a result.
MOST_BYTES = 2 << 30
_SNAPSHOT_BYTES = 256 << 20
# A picture for every pair of start and target: nobody looks at more.
MOST_PICTURES = 2500
_GRAPH = 4


class ActivationParameters(Parameters):
    """Whose activation is maximised, from where, and how."""

    target: str | int | list[str | int] = parameter(
        "all",
        label="Target",
        help="A class, a list of classes, or all. With a layer: a channel's number, channel:row:column for one unit, a "
        "list, or all.",
        suggestions="classes",
    )
    layer: str = parameter(
        "", label="Layer", help="Whose channel or unit is meant; empty for the scores of classes.", suggestions="layers"
    )
    start: Start = parameter(
        "noise",
        label="Start",
        help="Noise; the chosen images; an image of the target's own class; an image of another class; or cross: an "
        "image of every class for every target.",
    )
    images: Images = parameter(
        "",
        label="Images",
        help="For starts from images: numbers, names, class=NAME. Empty: the first image, or the first of each class.",
    )
    steps: int = parameter(300, label="Steps", help="How often the picture is changed.", ge=1, le=100_000)
    step_size: float = parameter(0.1, label="Step size", help="Of the activation's gradient (e1).", gt=0, le=1e6)
    tv_weight: float = parameter(
        0.1,
        label="Total variation",
        help="Step size of the total variation (e2): larger is smoother, until its steps overshoot.",
        ge=0,
        le=1e6,
    )
    l2_weight: float = parameter(
        0.0,
        label="L2",
        help="Step size of the mean square distance from the middle of the range: larger is greyer.",
        ge=0,
        le=1e6,
    )
    normalise: bool = parameter(
        False,
        label="Normalise the gradient",
        help="Divide the activation's gradient by its root mean square: the same step size fits every network.",
    )
    clamp: Literal["valid", "authors", "none"] = parameter(
        "valid",
        label="Range",
        help="Valid keeps pixels in the images' range. Authors changes the normalised input and keeps it in [0, 1], as "
        "published. None lets pixels leave their range.",
    )
    blur_every: int = parameter(
        0, label="Blur every", help="Smooth the picture every so many steps; 0 never.", unit="steps", ge=0, le=100_000
    )
    blur_sigma: float = parameter(
        1.0, label="Blur", help="Standard deviation of that smoothing.", unit="pixels", gt=0, le=100, advanced=True
    )
    jitter: int = parameter(
        0,
        label="Jitter",
        help="Shift the picture by up to so many pixels in each step, so that no pixel is tuned alone.",
        unit="pixels",
        ge=0,
        le=512,
    )
    reduction: Literal["mean", "max", "sum"] = parameter(
        "mean", label="Over a channel", help="What of a channel's positions is maximised.", advanced=True
    )
    snapshots: int = parameter(
        13, label="Snapshots", help="Pictures kept on the way, start and end included.", ge=2, le=200, advanced=True
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Pictures per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    def rows_at_once(self, study: Study) -> int | None:
        """Return the batch size asked for, None when it is to be probed."""
        return self.batch_size if isinstance(self.batch_size, int) else study.batch_size

    @property
    def product(self) -> bool:
        """Whether every start is taken for every target."""
        return self.start in ("image", "cross")

    def selection(self) -> str | list[int | str]:
        """Return the images as `ImageSet.select` takes them: all where nothing is said."""
        return "all" if self.images == "" else as_selection(self.images)


@dataclass(frozen=True)
class Amount:
    """How much there is to do: starts per target, targets, and the shape of a picture."""

    starts: int
    targets: int
    shape: tuple[int, int, int]

    @property
    def pictures(self) -> int:
        """Inputs that are moved."""
        return self.starts * self.targets

    def snapshots(self, wanted: int) -> int:
        """Return how many snapshots of each picture are kept, start and end always."""
        fits = _SNAPSHOT_BYTES // max(1, 4 * self.pictures * pixels(self.shape))
        return max(2, min(wanted, fits))

    def bytes(self, wanted: int) -> int:
        """Return what pictures, changes and snapshots take."""
        return 4 * self.pictures * pixels(self.shape) * (4 + 2 * self.snapshots(wanted))


def amount(study: Study, parameters: ActivationParameters) -> Amount:
    """Return how much a run has to do, from the cards.

    Raises
    ------
    UserError
        A class, layer, channel or image that is not there.
    """
    assert study.dataset is not None
    assert study.model is not None
    targets = len(parse_aims(parameters.layer, parameters.target, study.model))
    starts = 1
    if parameters.start == "image":
        starts = 1 if parameters.images == "" else image_count(study.dataset, as_selection(parameters.images))
    elif parameters.images != "":
        image_count(study.dataset, as_selection(parameters.images))
    if parameters.start == "cross":
        starts = max(1, len(study.dataset.class_counts))
    return Amount(starts, targets, seen_shape(study))


def activation_problems(study: Study, parameters: ActivationParameters) -> list[str]:
    """Return sentences about targets, images and sizes that don't fit the cards."""
    dataset, model = study.dataset, study.model
    if dataset is None or model is None:
        return []
    try:
        work = amount(study, parameters)
    except UserError as error:
        return [error.sentence]
    found = []
    if parameters.start in ("own_class", "other_class", "cross") and not dataset.class_counts:
        found.append(f"'{dataset.name}' has no classes to start from. Start from noise or from an image.")
    elif parameters.start in ("own_class", "other_class") and parameters.layer.strip():
        found.append("Channels and units have no class of their own. Start from noise, from an image, or cross.")
    elif parameters.start == "own_class":
        wanted = [aim.label for aim in parse_aims(parameters.layer, parameters.target, model)]
        lacking = [name for name in wanted if name not in dataset.class_counts]
        if lacking:
            listed = ", ".join(f"'{name}'" for name in lacking[:3])
            found.append(
                f"'{dataset.name}' has no images of {listed}, so there is nothing to start from. Name other targets, "
                "or start from noise."
            )
    if work.pictures > MOST_PICTURES:
        found.append(
            f"{work.starts:,} starts and {work.targets:,} targets make {work.pictures:,} pictures; {MOST_PICTURES:,} "
            "are allowed. Name fewer targets or images."
        )
    elif work.bytes(parameters.snapshots) > MOST_BYTES:
        found.append(
            f"{work.pictures:,} pictures of this size would take {work.bytes(parameters.snapshots) / 2**30:.0f} GB. "
            "Name fewer targets or images."
        )
    if parameters.jitter >= max(work.shape[1:]) > 1:
        found.append(f"A jitter of {parameters.jitter} pixels is as large as the image. Choose a smaller one.")
    return found


def peak_bytes(study: Study, parameters: ActivationParameters, work: Amount) -> int:
    """Return the memory of the pictures and of one batch with its graph."""
    assert study.model is not None
    batch = min(work.pictures, parameters.rows_at_once(study) or 16)
    return work.bytes(parameters.snapshots) + _GRAPH * batch * max(study.model.bytes_per_row, 4 * pixels(work.shape))
