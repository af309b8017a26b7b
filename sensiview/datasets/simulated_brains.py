"""A cohort with a known answer: grey-matter maps made from the MNI152 template, patients with a loss in chosen regions.

Real disease has no ground truth to hold a map against; this has. Nothing here is a patient, and everything that is
made from it says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from sensiview.errors import DataError
from sensiview.files import write_atomically

Array = npt.NDArray[np.float32]
SIMULATED = "Simulated from the MNI152 grey-matter template; no patient."
CLASSES = ("control", "patient")
# Millimetres: how far a subject's anatomy strays from the template, and over what distance that changes.
_DEFORMATION_MM = 2.5
_DEFORMATION_SCALE_MM = 20.0
# Standard deviations of the smooth and of the voxel-wise variation of the density.
_SMOOTH_NOISE = 0.06
_VOXEL_NOISE = 0.02
_NOISE_SCALE_MM = 15.0
# The loss fades out over this distance at the border of a region, as real atrophy has no edge.
_FADE_MM = 2.0


@dataclass(frozen=True)
class Simulation:
    """What to simulate.

    Parameters
    ----------
    subjects : int
        Half of them patients.
    spacing : float
        Voxel size in mm, at least 1.
    regions : tuple of str
        Names of the atlas's regions in which patients lose grey matter.
    loss : (float, float)
        The share that a patient loses there, drawn evenly between these bounds, the same in all regions.
    seed : int
        At least 1; the same seed gives the same files.
    """

    subjects: int = 120
    spacing: float = 3.0
    regions: tuple[str, ...] = ("Hippocampus L", "Hippocampus R", "Amygdala L", "Amygdala R")
    loss: tuple[float, float] = (0.25, 0.6)
    seed: int = 1


@dataclass(frozen=True)
class SimulatedCohort:
    """The files of a simulation: one map per subject, and participants.tsv with diagnosis, age, sex and loss."""

    volumes: tuple[Path, ...]
    participants: Path
    truth: Path


def simulate_cohort(
    folder: Path,
    simulation: Simulation,
    labels_on: Callable[[tuple[int, int, int], npt.NDArray[np.float64]], tuple[npt.NDArray[Any], dict[int, str]]],
    *,
    on_subject: Callable[[int], None] | None = None,
) -> SimulatedCohort:
    """Write a cohort.

    Each subject is the template moved by a smooth random deformation (2.5 mm, standard deviation), with smooth and
    voxel-wise variation of the density; the grey matter of a patient is multiplied by ``1 - loss`` in the chosen
    regions before it is deformed, so that atrophy and anatomy vary independently.

    Parameters
    ----------
    folder : Path
        Receives ``sub-001_T1w_segm-graymatter_dseg...nii.gz`` and so on, ``participants.tsv`` and ``truth.json``.
    simulation : Simulation
    labels_on : callable
        ``labels_on(shape, affine)`` returns an atlas on a grid (i, j, k), and its names by label.
    on_subject : callable, optional
        Called with the number of subjects that are written; what it raises ends it.

    Raises
    ------
    DataError
        A region that the atlas does not have, or a spacing that leaves no voxel of it.
    """
    template, affine = template_grey_matter(simulation.spacing)
    labels, names = labels_on(_shape(template), affine)
    pattern = loss_pattern(labels, names, simulation)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(simulation.seed)
    paths, rows = [], []
    for number in range(simulation.subjects):
        diagnosis = CLASSES[number % 2]
        loss = float(random.uniform(*simulation.loss)) if diagnosis == "patient" else 0.0
        volume = _subject(template, pattern, loss, simulation.spacing, random)
        name = f"sub-{number + 1:03d}"
        path = folder / f"{name}_space-MNI152_label-GM_probseg.nii.gz"
        _write(path, volume, affine)
        paths.append(path)
        age, sex = float(np.clip(random.normal(72, 6), 55, 90)), "FM"[int(random.integers(2))]
        rows.append(f"{name}\t{diagnosis}\t{age:.1f}\t{sex}\t{loss:.3f}")
        if on_subject is not None:
            on_subject(number + 1)
    participants = folder / "participants.tsv"
    _text(participants, "\n".join(["participant_id\tdiagnosis\tage\tsex\tsimulated_loss", *rows]) + "\n")
    truth = folder / "truth.json"
    _text(truth, json.dumps({"what": SIMULATED, **asdict(simulation)}, indent=2) + "\n")
    return SimulatedCohort(tuple(paths), participants, truth)


def template_grey_matter(spacing: float) -> tuple[Array, npt.NDArray[np.float64]]:
    """Return the MNI152 grey-matter template that nilearn ships, float32 (i, j, k) in [0, 1], and its affine (RAS)."""
    from nilearn.datasets import load_mni152_gm_template
    from nilearn.image import resample_img

    image = load_mni152_gm_template(resolution=1)
    # The grid of the template at 1 mm, thinned: corners as the template's own.
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = image.affine[:3, 3]
    shape = tuple(int(np.ceil(n / spacing)) for n in image.shape)
    resampled = resample_img(image, affine, shape, interpolation="continuous", copy_header=True, force_resample=True)
    values = np.clip(np.nan_to_num(np.asarray(resampled.dataobj, dtype=np.float32)), 0.0, 1.0)
    return values, affine


def loss_pattern(labels: npt.NDArray[Any], names: dict[int, str], simulation: Simulation) -> Array:
    """Return where grey matter is lost: 1 inside the regions, fading to 0 over two millimetres, float32."""
    from scipy.ndimage import gaussian_filter

    numbers = [number for number, name in names.items() if name in simulation.regions]
    missing = sorted(set(simulation.regions) - {names[n] for n in numbers})
    if missing:
        raise DataError(f"The atlas has no region {', '.join(missing)}. Choose others.")
    inside = np.isin(labels, numbers)
    empty = [names[n] for n in numbers if not (labels == n).any()]
    if empty:
        raise DataError(f"At {simulation.spacing:g} mm no voxel is left of {', '.join(empty)}. Choose a finer grid.")
    sigma = _FADE_MM / simulation.spacing
    soft = np.maximum(inside.astype(np.float32), gaussian_filter(inside.astype(np.float32), sigma))
    return np.asarray(soft, dtype=np.float32)


def _subject(template: Array, pattern: Array, loss: float, spacing: float, random: np.random.Generator) -> Array:
    from scipy.ndimage import map_coordinates

    atrophied = template * (1 - np.float32(loss) * pattern)
    scale = _DEFORMATION_SCALE_MM / spacing
    places = np.indices(template.shape, dtype=np.float32)
    for axis in range(3):
        places[axis] += np.float32(_DEFORMATION_MM / spacing) * _smooth(template.shape, scale, random)
    moved = map_coordinates(atrophied, places, order=1, mode="constant")
    density = 1 + _SMOOTH_NOISE * _smooth(template.shape, _NOISE_SCALE_MM / spacing, random)
    moved *= density
    moved += _VOXEL_NOISE * random.standard_normal(template.shape, dtype=np.float32) * (moved > 0.05)
    return np.asarray(np.clip(moved, 0.0, 1.0), dtype=np.float32)


def _smooth(shape: tuple[int, ...], scale: float, random: np.random.Generator) -> Array:
    """Return noise that changes over `scale` voxels, mean 0 and standard deviation 1."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(random.standard_normal(shape, dtype=np.float32), scale, mode="wrap")
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def _shape(values: Array) -> tuple[int, int, int]:
    return values.shape[0], values.shape[1], values.shape[2]


def _write(path: Path, values: Array, affine: npt.NDArray[np.float64]) -> None:
    """Write densities as bytes with a slope of 1/255, a quarter of the size; MNI152 codes, no time in the file."""
    import gzip

    import nibabel

    image: Any = nibabel.Nifti1Image(np.rint(values * 255).astype(np.uint8), affine)  # type: ignore[no-untyped-call]
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    image.header.set_slope_inter(1 / 255, 0)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = SIMULATED.encode()[:79]

    def write(stream: BinaryIO) -> None:
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
            image.to_stream(packed)

    write_atomically(path, write)


def _text(path: Path, text: str) -> None:
    write_atomically(path, lambda stream: stream.write(text.encode("utf-8")))
