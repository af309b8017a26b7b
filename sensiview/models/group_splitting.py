"""Which volumes or images train a network, validate and test it: divided by group, never one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError
from sensiview.models.recipe import TrainingRecipe

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """What inputs, and what must not be divided, are called in messages."""

    one: str = "volume"
    many: str = "volumes"
    group: str = "subject"
    groups: str = "subjects"


VOLUMES = Words()
IMAGES = Words("image", "images", "group", "groups")


@dataclass(frozen=True)
class GroupSplit:
    """Places of inputs in their data set, ascending, and sentences about what was left out or is doubtful."""

    train: Places
    validation: Places
    test: Places
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Places]:
        """Return the parts that have inputs, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: places for name, places in parts.items() if len(places)}


def split_groups(
    recipe: TrainingRecipe,
    groups: Sequence[str],
    labels: NDArray[np.int64],
    *,
    folds: Mapping[str, int] | None = None,
    train: Places | None = None,
    test: Places | None = None,
    validation: Places | None = None,
    class_names: Sequence[str] = (),
    words: Words = VOLUMES,
) -> GroupSplit:
    """Return the parts that a recipe means; inputs without a label are in none.

    Parameters
    ----------
    recipe : TrainingRecipe
        `fold`, `test_share`, `validation_share`, `split_seed` (0 counts as 1).
    groups : sequence of str
        What each input belongs to and must not be divided: a subject, a patient, a video.
    labels : ndarray
        Class of each input, -1 where missing.
    folds : mapping, optional
        Fold by group; the recipe's `fold` is tested on. Without it groups are drawn, each class in the same share.
    train, test : ndarray, optional
        Places chosen by hand, instead of folds and of drawing; one alone leaves the rest to the other.
    validation : ndarray, optional
        Places chosen by hand, apart from those of `train` and `test`; none are drawn then.
    class_names : sequence of str
    words : Words
        For messages.

    Raises
    ------
    UserError
        A group would be on both sides, a fold is empty, or there are not two classes to learn from.
    """
    labelled = labels >= 0
    everything = np.arange(len(labels))
    notes = []
    if not labelled.all():
        notes.append(
            f"{int((~labelled).sum()):,} of {len(labels):,} {words.many} have no label and were left out. Fill it in "
            "where that is wrong."
        )
    if train is not None:
        test = np.setdiff1d(everything, train) if test is None else test
    elif test is not None:
        train = np.setdiff1d(everything, test)
    elif folds is not None:
        chosen = np.array([folds.get(group, -1) == recipe.fold for group in groups], dtype=bool)
        outside = sum(group not in folds for group, known in zip(groups, labelled, strict=True) if known)
        if outside:
            raise UserError(
                f"{outside:,} {words.many} are of {words.groups} that are in no fold: the folds were made for other "
                f"{words.many}. Choose a seed of the split to make them anew."
            )
        test, train = everything[chosen], everything[~chosen]
        if not (chosen & labelled).any():
            raise UserError(f"Fold {recipe.fold} of {recipe.folds} has no labelled {words.one}. Use fewer folds.")
    else:
        drawn = draw_groups(groups, labels, recipe.test_share, recipe.split_seed or 1)
        test, train = everything[drawn], everything[~drawn]
    train, test = np.unique(train[labelled[train]]), np.unique(test[labelled[test]])
    aside = everything[:0] if validation is None else np.unique(validation[labelled[validation]])
    learnt, held_out = ({groups[i] for i in places} for places in (train, np.union1d(test, aside)))
    both = sorted(learnt & held_out)
    if both:
        raise UserError(
            f"{len(both):,} {words.groups} have {words.many} on both sides of the split, '{both[0]}' for one: the test "
            f"would be of {words.groups} that the network has seen. Choose all {words.many} of a {words.group}, or "
            "none."
        )
    if not len(aside) and recipe.validation_share:
        # Another seed than the test's, or the same places in each class would be drawn.
        drawn = draw_groups(
            [groups[i] for i in train], labels[train], recipe.validation_share, (recipe.split_seed or 1) + 7919
        )
        aside, train = train[drawn], train[~drawn]
    _check_classes(labels[train], class_names, words)
    if not len(test):
        notes.append(f"There are no {words.many} to test on, so there is no test accuracy.")
    elif np.unique(labels[test]).size < 2:
        notes.append(f"The {words.many} to test on are all of one class: their accuracy says little.")
    if not len(aside) and len(test) and (recipe.early_stopping or recipe.schedule == "plateau"):
        notes.append(
            f"The test {words.groups} also decided when to stop or to slow down, so their accuracy is a little too "
            "good. Set a share for validation to avoid that."
        )
    return GroupSplit(train, aside, test, tuple(notes))


def draw_groups(groups: Sequence[str], labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which inputs belong to groups drawn at random, `share` of each class, at least one where there are two.

    A group's class is the one that most of its inputs have; unlabelled inputs take no part.
    """
    classes: dict[str, Counter[int]] = {}
    for group, label in zip(groups, labels.tolist(), strict=True):
        if label >= 0:
            classes.setdefault(group, Counter())[label] += 1
    # The draw depends on who takes part, not on the order in which they are listed.
    of_class: dict[int, list[str]] = {}
    for group in sorted(classes):
        of_class.setdefault(min(classes[group].items(), key=lambda item: (-item[1], item[0]))[0], []).append(group)
    generator = np.random.default_rng(seed)
    drawn: set[str] = set()
    for label in sorted(of_class):
        members = of_class[label]
        count = min(len(members) - 1, max(1, round(share * len(members))))
        drawn.update(members[i] for i in generator.permutation(len(members))[: max(0, count)])
    return np.array([group in drawn for group in groups], dtype=bool)


def _check_classes(labels: NDArray[np.int64], names: Sequence[str], words: Words) -> None:
    present = np.unique(labels)
    if len(labels) == 0:
        raise UserError(f"There is no labelled {words.one} to train on. Choose the column that holds the classes.")
    if present.size < 2:
        only = f" ('{names[int(present[0])]}')" if int(present[0]) < len(names) else ""
        raise UserError(
            f"All {words.many} to train on are of one class{only}, so there is nothing to learn. Choose another target "
            f"column or other {words.many}."
        )
