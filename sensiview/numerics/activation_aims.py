"""What is to be maximised: scores of classes, channels or units of a layer. Needs the model's card only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sensiview.errors import UserError, suggestion
from sensiview.models.card import ModelCard
from sensiview.models.outputs import OutputChoice, Target, TargetName, parse_target

Reduction = Literal["mean", "max", "sum"]


@dataclass(frozen=True)
class Aim:
    """One number of a network.

    Parameters
    ----------
    label : str
        For people: a class's name, ``features.3 channel 5``, ``fc unit 7``.
    target : Target or None
        For a class: its column.
    channel : int
        Of a layer: the place along the first axis; -1 for a class.
    position : tuple of int
        The unit within the channel; () for the whole channel.
    """

    label: str
    target: Target | None = None
    channel: int = -1
    position: tuple[int, ...] = ()


def parse_aims(layer: str, target: TargetName, card: ModelCard) -> tuple[Aim, ...]:
    """Return what a user named.

    Parameters
    ----------
    layer : str
        Dotted name; empty for the network's classes (or outputs).
    target : int, str or sequence of them
        Of the network: classes as `parse_target` takes them. Of a layer: a channel's number, ``channel:row:column`` for
        one unit of it, a list, or ``all`` channels.

    Raises
    ------
    UserError
        There is no such class, layer, channel or unit.
    """
    if not layer.strip():
        return tuple(Aim(found.label, found) for found in parse_target(target, card))
    name = layer_named(layer, card)
    shape = card.layer(name).output_shape or (1,)
    if target is None or (isinstance(target, str) and target.strip().lower() == "all"):
        return tuple(_aim(name, (number,), shape) for number in range(shape[0]))
    wanted: Sequence[int | str] = [target] if isinstance(target, int | str) else list(target)
    if not wanted:
        raise UserError("The list of targets is empty. Name a channel, or write 'all'.")
    return tuple(dict.fromkeys(_aim(name, _place(item), shape) for item in wanted))


def layer_named(name: str, card: ModelCard) -> str:
    """Return the dotted name of a layer that can be looked at.

    Raises
    ------
    UserError
        There is none of that name, with the nearest one, or it gives no single tensor.
    """
    wanted = name.strip()
    known = [layer.name for layer in card.layers]
    if wanted not in known:
        raise UserError(f"The network '{card.name}' has no layer '{wanted}'.{suggestion(wanted, known)}")
    return OutputChoice.parse(f"layer:{wanted}", card).layer


def _place(item: int | str) -> tuple[int, ...]:
    parts = str(item).strip().split(":")
    if isinstance(item, bool) or not all(part.strip().isdecimal() for part in parts):
        raise UserError(
            f"'{item}' is no channel of a layer. Write its number, or channel:row:column for one unit, or 'all'."
        )
    return tuple(int(part) for part in parts)


def _aim(layer: str, place: tuple[int, ...], shape: tuple[int, ...]) -> Aim:
    what = "channel" if len(shape) > 1 else "unit"
    if len(place) not in (1, len(shape)):
        raise UserError(
            f"The layer '{layer}' gives {times(shape)} numbers: one {what} is a number from 0 to {shape[0] - 1}"
            + (f", one unit {len(shape)} numbers with colons between." if len(shape) > 1 else ".")
        )
    for number, count in zip(place, shape, strict=False):
        if number >= count:
            raise UserError(
                f"There is no {what} {':'.join(map(str, place))} in '{layer}', which gives {times(shape)} numbers; "
                f"counted from 0, the last is {':'.join(str(n - 1) for n in shape[: len(place)])}."
            )
    if len(place) == 1:
        return Aim(f"{layer} {what} {place[0]}", None, place[0])
    return Aim(f"{layer} unit {':'.join(map(str, place))}", None, place[0], place[1:])


def times(shape: Sequence[int]) -> str:
    """Return ``3 x 32 x 32``."""
    return " x ".join(map(str, shape))
