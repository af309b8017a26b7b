"""What `mask_optimization` and `lambda_grid` have in common: their parameters besides the two weights."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from sensiview.analysis.parameters import Parameters, parameter
from sensiview.errors import UserError
from sensiview.numerics.mask_fills import Fill

_LARGEST_SPACING = 100.0


class MaskParameters(Parameters):
    """Whose inputs are masked with what, what the mask is judged by, and how it is sought."""

    subjects: str | list[int | str] = parameter(
        "patients",
        label="Subjects",
        help="patients: all volumes of another class than the controls'; all; numbers such as 0-4; names; or "
        "column=value, such as diagnosis=AD.",
    )
    group: bool = parameter(
        True,
        label="One mask for all",
        help="One mask for the whole group of subjects; off: one mask for each of them.",
    )
    target: int | str = parameter(
        "true",
        label="Class",
        help="Whose score the mask lowers: true (each subject's own class), predicted, or a class by name or number.",
        suggestions="classes",
    )
    objective: Literal["log_odds", "logit", "probability"] = parameter(
        "log_odds",
        label="Score",
        help="What the mask lowers. Log-odds keep a gradient when the network is sure of itself; a probability near 1 "
        "has none.",
    )
    enough: float = parameter(
        0.01,
        label="Gone below",
        help="Of log-odds: once the class has this probability, a larger mask gains nothing more. 0 is the plain "
        "log-odds, which can be lowered without end.",
        ge=0,
        lt=0.5,
        advanced=True,
    )
    fill: str | float = parameter(
        "one",
        label="Fill",
        help="What replaces a masked voxel: one (in grey-matter maps: healthy), zero, a number, blur (the input "
        "blurred), or controls (the mean of the control class).",
    )
    blur_sigma: float = parameter(
        10.0, label="Blur", help="Standard deviation of the blurred fill.", unit="mm", gt=0, le=200, advanced=True
    )
    controls: str = parameter(
        "",
        label="Control class",
        help="Class that the controls are; empty finds CN, control, healthy and the like, else takes the first class.",
        suggestions="classes",
        advanced=True,
    )
    region_of_interest: str = parameter(
        "auto",
        label="May be masked",
        help="auto: voxels that are not 0 and differ from the fill; all; atlas (inside any region); regions of the "
        "atlas by name, separated by commas; or a mask file (.nii, .nii.gz).",
    )
    grid_spacing: float | Literal["auto"] = parameter(
        "auto",
        label="Mask spacing",
        help="Distance of the mask's own nodes, linear in between: in voxels of the input, or in mm. 1 voxel is the "
        "full resolution; auto is as many voxels as go into 9 mm, from 1 to 3.",
    )
    grid_unit: Literal["voxels", "mm"] = parameter(
        "voxels", label="Spacing in", help="Unit of the mask's spacing: voxels or mm.", advanced=True
    )
    steps: int = parameter(120, label="Steps", help="Most steps of the optimiser, for each mask.", ge=1, le=100_000)
    learning_rate: float = parameter(
        0.1, label="Step length", help="Of Adam: about how far the mask moves in one step.", gt=0, le=1
    )
    tolerance: float = parameter(
        1e-3,
        label="Tolerance",
        help="A mask is finished when its objective fell by less than this, relative to its size or to 1, in 20 "
        "steps; 0 makes all steps.",
        ge=0,
        lt=1,
        advanced=True,
    )
    start: float = parameter(
        1.0,
        label="Start",
        help="Value of the mask before the first step: 1 is the input as it is, 0 all of it replaced.",
        ge=0,
        le=1,
        advanced=True,
    )
    coarse_to_fine: int = parameter(
        0,
        label="Coarser grids first",
        help="So many grids, each twice as coarse as the next, are used before, for 30 steps each.",
        ge=0,
        le=4,
        advanced=True,
    )
    beta_1: float = parameter(1.0, label="Exponent β1", help="Of |1 - m| in the area term.", gt=0, le=4, advanced=True)
    beta_2: float = parameter(
        3.0, label="Exponent β2", help="Of |grad m| in the smoothness term.", ge=1, le=6, advanced=True
    )
    normalisation: Literal["mean", "sum"] = parameter(
        "mean",
        label="Terms are",
        help="mean: over the voxels that may be masked, so that λ means the same on any grid; sum: the formula as it "
        "is printed.",
        advanced=True,
    )
    atlas: str = parameter(
        "",
        label="Atlas",
        help="For the table of regions: empty takes the data set's own, else desikan_killiany where it fits; a bundled "
        "name, a file, or none.",
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto",
        label="Batch size",
        help="Subjects through the network at once; auto takes what its layers allow in about 1 GB.",
        advanced=True,
    )

    @field_validator("grid_spacing")
    @classmethod
    def _spacing(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 < value <= _LARGEST_SPACING:
            raise ValueError(f"The mask's grid spacing must be above 0 and at most {_LARGEST_SPACING:g}")
        return value

    @field_validator("fill", mode="before")
    @classmethod
    def _known_fill(cls, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("Write one, zero, blur, controls or a number")
        try:
            Fill.parse(value)
        except UserError as error:
            raise ValueError(error.sentence.rstrip(".")) from None
        return value

    @field_validator("subjects", mode="before")
    @classmethod
    def _selection(cls, value: Any) -> Any:
        """Take what a command line makes of 5."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("subjects", "region_of_interest", "target")
    @classmethod
    def _something(cls, value: Any, info: ValidationInfo) -> Any:
        if (isinstance(value, str) and not value.strip()) or value == []:
            raise ValueError(f"Say which {str(info.field_name).replace('_', ' ')}")
        return value

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value
