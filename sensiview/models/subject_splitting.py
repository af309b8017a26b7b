"""Which volumes train a network, which validate and which test it: divided by subject, never by volume."""

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
class VolumeSplit:
    """Places of volumes in their cohort, ascending, and sentences about what was left out or is doubtful."""

    train: Places
    validation: Places
    test: Places
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Places]:
        """Return the parts that have volumes, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: places for name, places in parts.items() if len(places)}


def split_subjects(
    recipe: TrainingRecipe,
    subjects: Sequence[str],
    labels: NDArray[np.int64],
    *,
    folds: Mapping[str, int] | None = None,
    train: Places | None = None,
    test: Places | None = None,
    class_names: Sequence[str] = (),
) -> VolumeSplit:
    """Return the parts that a recipe means; volumes without a label are in none.

    Parameters
    ----------
    recipe : TrainingRecipe
        `fold`, `test_share`, `validation_share`, `split_seed` (0 counts as 1).
    subjects : sequence of str
        Whom each volume is of.
    labels : ndarray
        Class of each volume, -1 where missing.
    folds : mapping, optional
        Fold by subject; the recipe's `fold` is tested on. Without it subjects are drawn, each class in the same share.
    train, test : ndarray, optional
        Places chosen by hand, instead of folds and of drawing; one alone leaves the rest to the other.
    class_names : sequence of str
        For messages.

    Raises
    ------
    UserError
        A subject would be on both sides, a fold is empty, or there are not two classes to learn from.
    """
    labelled = labels >= 0
    everything = np.arange(len(labels))
    notes = []
    if not labelled.all():
        notes.append(
            f"{int((~labelled).sum()):,} of {len(labels):,} volumes have no label and were left out. Fill it in where "
            "that is wrong."
        )
    if train is not None:
        test = np.setdiff1d(everything, train) if test is None else test
    elif test is not None:
        train = np.setdiff1d(everything, test)
    elif folds is not None:
        chosen = np.array([folds.get(subject, -1) == recipe.fold for subject in subjects], dtype=bool)
        outside = sum(subject not in folds for subject, known in zip(subjects, labelled, strict=True) if known)
        if outside:
            raise UserError(
                f"{outside:,} volumes are of subjects that are in no fold: the folds were made for other volumes. "
                "Choose a seed of the split to make them anew."
            )
        test, train = everything[chosen], everything[~chosen]
        if not (chosen & labelled).any():
            raise UserError(f"Fold {recipe.fold} of {recipe.folds} has no labelled volume. Use fewer folds.")
    else:
        drawn = draw_subjects(subjects, labels, recipe.test_share, recipe.split_seed or 1)
        test, train = everything[drawn], everything[~drawn]
    train, test = np.unique(train[labelled[train]]), np.unique(test[labelled[test]])
    both = sorted({subjects[i] for i in train} & {subjects[i] for i in test})
    if both:
        raise UserError(
            f"{len(both):,} subjects have volumes on both sides of the split, '{both[0]}' for one: the test would be "
            "of subjects that the network has seen. Choose all volumes of a subject, or none."
        )
    validation = everything[:0]
    if recipe.validation_share:
        # Another seed than the test's, or the same places in each class would be drawn.
        drawn = draw_subjects(
            [subjects[i] for i in train], labels[train], recipe.validation_share, (recipe.split_seed or 1) + 7919
        )
        validation, train = train[drawn], train[~drawn]
    _check_classes(labels[train], class_names)
    if not len(test):
        notes.append("There are no volumes to test on, so there is no test accuracy.")
    elif np.unique(labels[test]).size < 2:
        notes.append("The volumes to test on are all of one class: their accuracy says little.")
    if not len(validation) and len(test) and (recipe.early_stopping or recipe.schedule == "plateau"):
        notes.append(
            "The test subjects also decided when to stop or to slow down, so their accuracy is a little too good. Set "
            "a share for validation to avoid that."
        )
    return VolumeSplit(train, validation, test, tuple(notes))


def draw_subjects(subjects: Sequence[str], labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which volumes belong to subjects drawn at random, `share` of each class, at least one where there are two.

    A subject's class is the one that most of its volumes have; unlabelled volumes take no part.
    """
    classes: dict[str, Counter[int]] = {}
    for subject, label in zip(subjects, labels.tolist(), strict=True):
        if label >= 0:
            classes.setdefault(subject, Counter())[label] += 1
    # The draw depends on who takes part, not on the order in which they are listed.
    of_class: dict[int, list[str]] = {}
    for subject in sorted(classes):
        of_class.setdefault(min(classes[subject].items(), key=lambda item: (-item[1], item[0]))[0], []).append(subject)
    generator = np.random.default_rng(seed)
    drawn: set[str] = set()
    for label in sorted(of_class):
        members = of_class[label]
        count = min(len(members) - 1, max(1, round(share * len(members))))
        drawn.update(members[i] for i in generator.permutation(len(members))[: max(0, count)])
    return np.array([subject in drawn for subject in subjects], dtype=bool)


def _check_classes(labels: NDArray[np.int64], names: Sequence[str]) -> None:
    present = np.unique(labels)
    if len(labels) == 0:
        raise UserError("There is no labelled volume to train on. Choose the column that holds the diagnosis.")
    if present.size < 2:
        only = f" ('{names[int(present[0])]}')" if int(present[0]) < len(names) else ""
        raise UserError(
            f"All volumes to train on are of one class{only}, so there is nothing to learn. Choose another target "
            "column or other volumes."
        )
