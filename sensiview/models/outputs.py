"""Which numbers of a network an analysis looks at: named outputs, hidden layers, classes. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sensiview.errors import UserError, suggestion
from sensiview.models.card import ModelCard

Kind: TypeAlias = Literal["auto", "probability", "logit", "loss", "layer"]
ResolvedKind: TypeAlias = Literal["probability", "logit", "loss", "value", "layer"]
TargetName: TypeAlias = "int | str | Sequence[int | str] | None"

_KINDS: tuple[Literal["auto", "probability", "logit", "loss"], ...] = ("auto", "probability", "logit", "loss")
_LAYER_PREFIX = "layer:"


@dataclass(frozen=True)
class OutputChoice:
    """One choice of what to look at.

    Parameters
    ----------
    kind : str
        ``auto``: the probability of a classifier, the plain output of anything else. ``probability``: softmax over the
        classes, or sigmoid of a single output, unless the network gives probabilities by itself. ``logit``: what
        enters the final sigmoid or softmax. ``loss``: cross entropy of the target class. ``layer``: every unit of a
        hidden layer.
    layer : str
        Dotted module name, for ``layer`` only.
    """

    kind: Kind
    layer: str = ""

    @classmethod
    def parse(cls, text: str, card: ModelCard) -> OutputChoice:
        """Read what a user wrote: one of the words above or a layer's name.

        ``layer:NAME`` is a layer in any case, for a network that calls one of its layers "logit".

        Raises
        ------
        UserError
            There is no such layer (with the nearest name), it gives nothing that can be read, or the loss is asked of
            something that is no classifier.
        """
        wanted = text.strip()
        for kind in _KINDS:
            if wanted.lower() == kind:
                if kind == "loss" and card.emits == "value" and not card.class_names:
                    raise UserError(
                        f"The loss needs the classes that the network '{card.name}' tells apart, and it has none. "
                        "Choose 'auto' for its plain output."
                    )
                return cls(kind)
        name = wanted.removeprefix(_LAYER_PREFIX).strip()
        try:
            layer = card.layer(name)
        except KeyError:
            known = [*_KINDS, *(layer.name for layer in card.layers)]
            raise UserError(
                f"'{name}' is neither an output nor a layer of the network '{card.name}'.{suggestion(name, known)}"
            ) from None
        if layer.output_shape is None:
            raise UserError(
                f"The layer '{name}' can't be looked at: the network does not call it, or it does not give one tensor "
                "of numbers. Choose another layer."
            )
        return cls("layer", name)

    def resolved(self, card: ModelCard) -> ResolvedKind:
        """Return the kind with ``auto`` decided by what the network emits."""
        if self.kind == "auto":
            return "value" if card.emits == "value" else "probability"
        return self.kind


def output_choices(card: ModelCard) -> list[str]:
    """Return everything that can be written as output for this network, the outputs first, then its layers."""
    classifier = card.emits != "value" or bool(card.class_names)
    words = ["auto", "probability", "logit", "loss"] if classifier else ["auto", "probability", "logit"]
    layers = [
        f"{_LAYER_PREFIX}{layer.name}" if layer.name.lower() in _KINDS else layer.name
        for layer in card.layers
        if layer.output_shape is not None
    ]
    return words + layers


@dataclass(frozen=True)
class Target:
    """One column of the answer: an output of the network, or what is missing from it to certainty.

    `complement` is the first class of a network with a single output that stands for the second: 1 - p.
    """

    column: int
    label: str
    complement: bool = False


def output_names(card: ModelCard, n_outputs: int) -> tuple[str, ...]:
    """Return a name for each of `n_outputs` outputs: the card's own, the classes', or ``output[0]``, ``output[1]``."""
    if len(card.output_names) == n_outputs:
        return card.output_names
    if len(card.class_names) == n_outputs:
        return card.class_names
    if n_outputs == 1:
        return (card.class_names[1],) if len(card.class_names) == 2 else ("output",)
    return tuple(f"output[{i}]" for i in range(n_outputs))


def parse_target(target: TargetName, card: ModelCard, n_outputs: int | None = None) -> tuple[Target, ...]:
    """Return the output columns that `target` asks for.

    Parameters
    ----------
    target : int, str, sequence of them, or None
        Index or name of a class (or of an output, for anything but a classifier); None and "all" are all outputs.
        A name is looked for before a number: with classes "1" and "2", the text "1" is the first, the number 1 the
        second. A number that is out of range is a name where a class is called so.
    card : ModelCard
        Gives the names.
    n_outputs : int, optional
        Number of outputs of the network; the card's by default.

    Raises
    ------
    UserError
        There is no such class or output.
    """
    if n_outputs is None:
        n_outputs = len(card.output_names) or len(card.class_names) or 1
    names = output_names(card, n_outputs)
    if target is None or (isinstance(target, str) and target.strip().lower() == "all"):
        return tuple(Target(i, name) for i, name in enumerate(names))
    wanted = [target] if isinstance(target, int | str) else list(target)
    if not wanted:
        raise UserError("The list of targets is empty. Name a class, or write 'all'.")
    found = [_one_target(item, card, names) for item in wanted]
    return tuple(dict.fromkeys(found))


def _one_target(target: int | str, card: ModelCard, names: tuple[str, ...]) -> Target:
    binary = len(names) == 1 and card.emits != "value"
    if isinstance(target, bool):
        raise UserError(f"The target {target} is neither a class's number nor its name.")
    if isinstance(target, str):
        text = target.strip()
        if text in card.class_names and (binary or len(names) == len(card.class_names)):
            target = card.class_names.index(text)
        elif text in names:
            return Target(names.index(text), text)
        elif text.isdecimal():
            target = int(text)
        else:
            known = list(dict.fromkeys([*(card.class_names if binary else ()), *names]))
            raise UserError(f"The network '{card.name}' has no class or output '{text}'.{suggestion(text, known)}")
    count = 2 if binary else len(names)
    if not 0 <= target < count:
        if str(target) in (*card.class_names, *names):
            return _one_target(str(target), card, names)
        what = "classes" if card.emits != "value" else "outputs"
        raise UserError(f"There is no target {target}: the network '{card.name}' has {count} {what}, 0 to {count - 1}.")
    if binary:
        return Target(0, names[0]) if target == 1 else Target(0, _other(names[0], card), complement=True)
    return Target(target, names[target])


def _other(label: str, card: ModelCard) -> str:
    """Name the class that the single output does not stand for."""
    if len(card.class_names) == 2:
        first, second = card.class_names
        if label == second:
            return first
        if label.endswith(f"={second}"):
            return label.removesuffix(second) + first
    return f"not {label}"
