"""Data and models as a notebook hands them over, and the study they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished
from sensiview.api_images import as_images, network_for
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import ModelError, UserError

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from sensiview.datasets.images import ImageSet
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.network import Network


@dataclass(frozen=True)
class Given:
    """What was handed over, opened: a table, volumes or images, and the network that fits them."""

    card: DatasetCard
    table: Table | None = None
    volumes: VolumeSet | None = None
    images: ImageSet | None = None
    network: Network | None = None


def given(
    module: nn.Module | None,
    data: Any,
    parameters: Mapping[str, Any],
    *,
    target: str | None = None,
    class_names: Sequence[str] = (),
    labels: Sequence[Any] | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    ready: Callable[[], Network] | None = None,
    device: str = "auto",
    accepts: Sequence[str] = (),
) -> Given:
    """Return data and network such that they fit each other.

    Parameters
    ----------
    module : nn.Module or None
    data : DataFrame, array, nibabel images, VolumeSet, images, ImageSet, or None
        Volumes are recognised by what they are: a nibabel image, a list of them (or of paths to NIfTI files, or of
        3-D arrays), or an array of shape (n, i, j, k) or (n, 1, i, j, k). Images are PIL images, paths of image files,
        arrays or tensors; see `sensiview.datasets.image_memory.images_from_arrays`. An array of four axes, and a list
        of arrays of three, are images where the network's first convolution has two axes, else volumes.
    parameters : mapping
        ``bounds`` stand in for a table that is not there.
    labels : sequence, optional
        The class of each volume or image.
    ready : callable, optional
        Opens the network where it is one of a project, with its preprocessing; `module` is the same without.
    accepts : sequence of str, optional
        The kinds of data that the analysis works on, so that its sentences are about these.

    Raises
    ------
    UserError, DataError, ModelError
        They don't fit.
    """
    images = as_images(module, data, labels, class_names)
    if images is not None:
        network = ready() if ready is not None else None
        if network is None and module is not None:
            network = network_for(module, images, class_names, preprocessing, device)
        return Given(images.card, images=images, network=network)
    volumes = as_volumes(data, labels)
    if volumes is None and "volumes" in accepts and "table" not in accepts:
        pictures = "; or PIL images, paths of image files, or an array of images" if "images" in accepts else ""
        raise UserError(
            f"This analysis works on {' or '.join(sorted(accepts))}, and what was given is {_in_words(data)}. Hand "
            f"over nibabel images, paths of NIfTI files, arrays (i, j, k), or one array (n, i, j, k){pictures}."
        )
    if volumes is not None:
        network = ready() if ready is not None else None
        if network is None and module is not None:
            from sensiview.models.network import network_from_module

            network = network_from_module(
                module,
                sample=volumes.batch([0]),
                name=type(module).__name__,
                class_names=class_names or tuple(volumes.card.class_counts),
                preprocessing=preprocessing,
                affine=volumes.entries[0].grid.affine,
                device=device,
            )
        return Given(volumes.card, volumes=volumes, network=network)
    table, network = _fit(module, data, parameters, target=target, class_names=tuple(class_names), device=device)
    if ready is not None and network is not None:
        network = ready()
    return Given(table.card, table=table, network=network)


def as_volumes(data: Any, labels: Sequence[Any] | None = None) -> VolumeSet | None:
    """Return volumes as a cohort; None for data that are none."""
    from sensiview.datasets.volumes import VolumeSet

    if isinstance(data, VolumeSet):
        return data
    data = _as_array(data)
    many = [_as_array(one) for one in data] if isinstance(data, list | tuple) else [data]
    arrays = isinstance(data, np.ndarray) and data.ndim >= 4
    if not arrays and not (many and all(_is_volume(one) for one in many)):
        return None
    from sensiview.datasets.volume_opening import volumes_from_images

    if arrays:
        if data.ndim == 5 and data.shape[1] != 1:
            raise UserError(
                f"An array of shape {data.shape} has {data.shape[1]} channels; volumes have one. Give (n, 1, i, j, k)."
            )
        many = list(data[:, 0] if data.ndim == 5 else data)
    return volumes_from_images(many, labels=labels)


def _as_array(one: Any) -> Any:
    """Return a tensor's numbers, everything else as it is."""
    if not hasattr(one, "detach"):
        return one
    # numpy has no bfloat16.
    return (one.detach().float() if "bfloat16" in str(one.dtype) else one.detach()).cpu().numpy()


def _in_words(data: Any) -> str:
    """Say what something is that was expected to be volumes."""
    if isinstance(data, list | tuple):
        return f"a list whose first is {_in_words(data[0])}" if data else "an empty list"
    if data is None:
        return "nothing"
    if isinstance(data, str):
        return f"the text '{data}'"
    shape = getattr(data, "shape", None)
    what = type(data).__name__
    return f"something of type {what}" if shape is None else f"{what} of shape {tuple(shape)}"


def _is_volume(one: Any) -> bool:
    """Say whether it is an image of nibabel, one of ours, a NIfTI file, or a 3-D array."""
    if isinstance(one, np.ndarray):
        return one.ndim == 3
    if hasattr(one, "affine") and (hasattr(one, "dataobj") or hasattr(one, "raw")):
        return True
    text = str(one).lower() if isinstance(one, str) or hasattr(one, "suffix") else ""
    return text.endswith((".nii", ".nii.gz", ".hdr", ".img"))


def finished_runs(
    runs: Mapping[str, Any] | None,
    data: Given,
    device: str,
    *,
    class_names: Sequence[str] = (),
    preprocessing: Mapping[str, Any] | None = None,
) -> dict[str, Finished] | None:
    """Return earlier results as the runs that another analysis takes as input.

    Each value is a `Result`, or a pair of a result and the model it was made with (a module or a `LoadedModel`). A
    module is taken for a network of `data`, with these class names and this preprocessing.

    Raises
    ------
    UserError
        Something else.
    """
    if not runs:
        return None
    found = {}
    for name, value in runs.items():
        result, model = value if isinstance(value, tuple) else (value, None)
        if not isinstance(result, Result):
            raise UserError(f"The run '{name}' should be a result of an earlier analysis, or a pair (result, model).")
        settings = result.facts.get("parameters")
        found[name] = Finished(
            id=name,
            result=partial(_kept, result),
            name=name,
            analysis=str(result.facts.get("analysis", "")),
            parameters=settings if isinstance(settings, Mapping) else {},
            model=getattr(model, "card", None),
            network=_opener(model, data, device, tuple(class_names), preprocessing),
        )
    return found


def _kept(result: Result) -> Result:
    return result


def _opener(
    model: Any, data: Given, device: str, class_names: tuple[str, ...], preprocessing: Mapping[str, Any] | None
) -> Any:
    if model is None:
        return None
    if hasattr(model, "card") and hasattr(model, "network"):
        return lambda: model.network(device)

    def wrap() -> Network:
        from sensiview.models.network import network_from_module

        if data.images is not None:
            return network_for(model, data.images, class_names, preprocessing, device)
        sample: Any = None
        names = class_names
        if data.volumes is not None:
            sample, names = data.volumes.batch([0]), class_names or tuple(data.volumes.card.class_counts)
        elif data.table is not None:
            sample = data.table.features()[:2]
        return network_from_module(
            model,
            sample=sample,
            name=type(model).__name__,
            class_names=names,
            preprocessing=preprocessing,
            device=device,
        )

    return wrap


def _fit(
    module: nn.Module | None,
    data: Any,
    parameters: Mapping[str, Any],
    *,
    target: str | None,
    class_names: tuple[str, ...],
    device: str,
) -> tuple[Table, Network | None]:
    """Return table and network such that the table's factors are the network's inputs."""
    frame = _frame_from_bounds(parameters.get("bounds")) if data is None else data
    table = table_from_frame(frame, name="data", target=target)
    if module is None:
        return table, None
    from sensiview.models.network import network_from_module

    def network(of: Table) -> Network:
        rows = of.features()[:2]
        return network_from_module(
            module, sample=rows, name=type(module).__name__, class_names=class_names, device=device
        )

    try:
        return table, network(table)
    except ModelError:
        if target is not None or data is None or len(table.card.features) < 2 or not hasattr(data, "columns"):
            raise
        with_target = table_from_frame(frame, name="data", target=str(table.card.columns[-1].name))
        return with_target, network(with_target)


def _frame_from_bounds(bounds: Any) -> pd.DataFrame:
    if not bounds:
        raise UserError("Give the data, or parameters={'bounds': ...} with a low and a high value for every factor.")
    import pandas as pd

    pairs = bounds if isinstance(bounds, Mapping) else {f"x{i + 1}": pair for i, pair in enumerate(bounds)}
    return pd.DataFrame({str(name): [float(pair[0]), float(pair[1])] for name, pair in pairs.items()})
