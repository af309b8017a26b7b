"""A network: an `nn.Module`, what is known of it, and where it computes."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from sensiview.errors import ModelError
from sensiview.models import devices
from sensiview.models.card import ModelCard
from sensiview.models.image_settings import ImageSettings
from sensiview.models.inspection import describe
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.readout import SEVERAL_ANSWERS
from sensiview.models.state import device_of, dtype_of, kept_as_it_was

_HALF = (torch.float16, torch.bfloat16)


class Network:
    """A module with its card, ready to compute on one device.

    The module given is never altered: where it must move to another device, or be computed in another precision, a
    deep copy does. In place it is used as it is, and `measuring` puts it back.

    Parameters
    ----------
    module : nn.Module
        In any mode.
    card : ModelCard
        Names, preprocessing and what it emits.
    device : str or torch.device
        ``auto``, ``cpu``, ``cuda:1``, ``mps``.

    Attributes
    ----------
    module : nn.Module
        The module given, or its copy on the device.
    dtype : torch.dtype
        What the module computes in, and what its inputs are converted to.
    notices : tuple of str
        Sentences that whoever computes with it should pass on.

    Raises
    ------
    UserError
        No such device.
    ModelError
        The module can't be copied, or the card's preprocessing does not fit its inputs.
    """

    def __init__(self, module: nn.Module, card: ModelCard, device: str | torch.device = "cpu") -> None:
        self.card = card
        self.device = devices.resolve(device)
        self.module, said = _placed(module, card.name, self.device)
        self.dtype = dtype_of(self.module)
        self.notices = (*said, *_batch_dependence(self.module))
        self._preprocessing = Preprocessing(card.preprocessing, card.input_shape, card.name)

    def preprocess(self, rows: Tensor, like: Tensor | None = None, affine: NDArray[np.float64] | None = None) -> Tensor:
        """Return what the module takes, from raw values: preprocessed, on the device, in the module's dtype.

        Never the memory of `rows`, nor a leaf of a graph: a module may write into its input (an in-place first layer).

        Parameters
        ----------
        rows : Tensor
            Shape (n, *input_shape), raw values in the data's own units, any real dtype, any device. Float64 values are
            standardised in float64 before they are rounded. Differentiable.
        like : Tensor, optional
            Same shape: the inputs before something in them was changed. Statistics that are taken from each input
            (its 99th percentile) are taken from these, so that a mask does not change how the rest is scaled.
        affine : ndarray, optional
            Of volumes, (4, 4), voxel to RAS mm: for a network that wants them in one orientation.
        """
        ready = self._preprocessing(rows if rows.is_floating_point() else rows.to(self.dtype), like, affine)
        ready = ready.to(device=self.device, dtype=self.dtype)
        return ready.clone() if ready.untyped_storage().data_ptr() == rows.untyped_storage().data_ptr() else ready

    @property
    def image_settings(self) -> ImageSettings | None:
        """What is done to images before; None where the preprocessing is not one of images."""
        return self._preprocessing.images

    def on_raw_grid(self, values: Tensor, shape: Sequence[int], affine: NDArray[np.float64] | None = None) -> Tensor:
        """Bring maps over the network's input onto the grid of the raw volumes; what was cropped off becomes 0.

        Gradients with respect to raw rows need no such step; class activation maps do.

        Parameters
        ----------
        values : Tensor
            Shape (n, c, *input_shape[1:]).
        shape : sequence of int
            (i, j, k) of the raw volumes.
        affine : ndarray, optional
            As it was given to `preprocess`.

        Returns
        -------
        Tensor
            Shape (n, c, i, j, k).
        """
        volumes = self._preprocessing.volumes
        return values if volumes is None else volumes.back(values, shape, affine)

    def measuring(self) -> AbstractContextManager[None]:
        """Return a context in which the module is in eval mode and builds no gradients; afterwards all is as it was.

        See `sensiview.models.state.kept_as_it_was` for what is put back. May be nested.
        """
        return kept_as_it_was(self.module)


def _placed(module: nn.Module, name: str, device: torch.device) -> tuple[nn.Module, list[str]]:
    """Return the module, or a copy of it, on `device` and in a precision that the device computes in."""
    if any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        raise ModelError(
            f"The network '{name}' has lazy layers whose sizes are not known yet. Run it once on an input, then try "
            "again."
        )
    dtype = dtype_of(module)
    wanted = torch.float32 if device.type == "cpu" and dtype in _HALF else dtype
    said = []
    if wanted != dtype:
        short = str(dtype).removeprefix("torch.")
        said.append(f"The weights of '{name}' are {short}; on the CPU they are computed with in float32.")
    if device.type == "mps" and dtype == torch.float64:
        wanted = torch.float32
        said.append(
            f"The weights of '{name}' are float64; Apple GPUs compute in float32. Choose the CPU for more digits."
        )
    if wanted == dtype and _same(device_of(module), device):
        return module, said
    try:
        moved = copy.deepcopy(module)
    except Exception as error:
        raise ModelError(
            f"The network '{name}' can't be copied to {device}, and the original is not to be changed. Move it there "
            f"yourself with .to('{device}') and try again.",
            details=f"{type(error).__name__}: {error}",
        ) from error
    return moved.to(device=device, dtype=wanted), said


def _same(one: torch.device, other: torch.device) -> bool:
    return one.type == other.type and (one.index or 0) == (other.index or 0)


def _batch_dependence(module: nn.Module) -> list[str]:
    """Say which layers normalise by the batch even in eval mode: then a row's output depends on its neighbours."""
    names = [
        name
        for name, layer in module.named_modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None
    ]
    if not names:
        return []
    return [
        f"The batch norm {', '.join(names)} keeps no running statistics: the output for a row depends on the rows "
        "computed with it, and so on the batch size. Train it with track_running_stats=True for numbers that don't."
    ]


def network_from_module(
    module: nn.Module,
    *,
    sample: NDArray[Any] | None = None,
    name: str = "network",
    class_names: Sequence[str] = (),
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
    emits: Literal["probability", "logit", "value"] | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    affine: NDArray[np.float64] | None = None,
    device: str | torch.device = "auto",
) -> Network:
    """Wrap a module from Python; its card is found by running it on two rows.

    Parameters
    ----------
    module : nn.Module
        In any mode, on any device; left as it is. With ``device="auto"`` it computes where it lies when that is a GPU.
    sample : ndarray, optional
        Raw inputs, shape (n, *input_shape), of which two are used. Not needed for a network that begins with a linear
        layer.
    name, class_names, input_names, output_names : str and sequences of str
        Names for tables and plots.
    emits : str, optional
        Overrides what is found.
    preprocessing : mapping, optional
        As in `ModelCard`; the default is none.
    affine : ndarray, optional
        Of a sample of volumes, (4, 4), voxel to RAS mm: for preprocessing that turns them.

    Raises
    ------
    ModelError
        It is no module, the shape of its inputs can't be known, or it can't compute on the sample.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(f"The model should be a torch.nn.Module, not a {type(module).__name__}.")
    if str(device) == "auto" and device_of(module).type != "cpu":
        device = device_of(module)
    rows = _two_rows(module, sample, name)
    known = dict(preprocessing or {"kind": "none"})
    # Volumes are padded or cropped on the way, so that the network's own size is seen only behind it.
    volumes = known.get("kind") == "volume"
    start = ModelCard(name=name, input_shape=() if volumes else rows.shape[1:], preprocessing=known)
    network = Network(module, start, device)
    network.card = describe(
        network.module,
        network.preprocess(rows, None, affine),
        name=name,
        class_names=[str(c) for c in class_names],
        input_names=[str(c) for c in input_names],
        output_names=[str(c) for c in output_names],
        emits=emits,
        time_it=False,
        preprocessing=known,
    )
    if volumes:
        network._preprocessing = Preprocessing(known, network.card.input_shape, name)
    # A project says beside the model which of several answers is taken; without one only the runs can.
    network.notices = (*network.notices, *(note for note in network.card.notes if note.startswith(SEVERAL_ANSWERS)))
    return network


def _two_rows(module: nn.Module, sample: NDArray[Any] | None, name: str) -> Tensor:
    if sample is not None:
        array = np.asarray(sample)
        if array.ndim < 2 or len(array) == 0 or not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
            raise ModelError(
                f"The sample for the network '{name}' should be an array of numbers, rows first, with at least one "
                f"row; it has shape {array.shape} and type {array.dtype}."
            )
        return torch.tensor(np.ascontiguousarray(array[[0, -1]]))
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            return torch.linspace(0, 1, 2 * layer.in_features).reshape(2, -1)
        if next(layer.parameters(recurse=False), None) is not None:
            break
    raise ModelError(
        f"The shape of the inputs of '{name}' can't be known from its layers. Give some of its inputs as a sample."
    )
