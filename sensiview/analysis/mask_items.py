"""Result items of masks: the mask in the input's own grid, the masked input, traces, probabilities, regions, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import INPUT_VALUE, Array, Curve, FieldMap, IndexTable, Mask
from sensiview.analysis.mask_study import MaskStudy

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.numerics.mask_run import MaskRun, Masks

PROBABILITY = "probability"
MASK_HELP = "1 keeps the input, 0 replaces it by the fill; in the input's own voxels."
TRACE_HELP = "What is minimised (objective) is the score plus the two terms; the mask kept is that of the lowest point."
_UNITS = {
    "step": "steps",
    "objective": "",
    "score": "",
    "probability": "probability",
    "area_term": "",
    "smoothness_term": "",
}
# Previews with more values than this are dropped on their way to the window.
_MOST_PREVIEW_VALUES = 90_000
_MOST_CURVES = 12


def whole_mask(opened: MaskStudy, cover: Array, mask: int = 0) -> Array:
    """Return a mask m, float32 (i, j, k), from covers of nodes (masks, *nodes)."""
    import torch

    places = [0] if opened.problem.shared else [mask]
    with torch.no_grad():
        nodes = torch.from_numpy(np.array(cover[mask : mask + 1])).to(opened.problem.inputs.network.device)
        voxels = opened.grids[-1].to_voxels(nodes)
        voxels = voxels * opened.problem.region(places)
        # Weights of nodes sum to 1 up to rounding.
        return np.asarray((1 - voxels[0]).clamp_(0, 1).cpu().numpy(), dtype=np.float32)


def mask_item(opened: MaskStudy, values: Array, **changes: Any) -> Mask:
    """Return masks (..., i, j, k) as an item; `changes` are axes before z, coordinates, title."""
    from sensiview.numerics.volume_inputs import to_zyx

    known: dict[str, Any] = {
        "title": "Mask",
        "description": MASK_HELP,
        "axes": ("z", "y", "x"),
        "unit": "share kept",
        "over": opened.volumes.card.name,
        "affine": opened.grid.affine,
    }
    return Mask(values=to_zyx(values), **(known | changes))


def masked_inputs(opened: MaskStudy, masks: Array, tick: Any = None) -> Array:
    """Return masked inputs, float32: the mean over the group (i, j, k), or one per subject (n, i, j, k).

    `masks` (n or 1, i, j, k). The inputs are read one at a time.
    """
    import torch

    problem = opened.problem
    total: Array | None = None
    each = []
    for place in range(len(problem)):
        cover = 1 - torch.from_numpy(masks[0 if problem.shared else place]).to(problem.inputs.network.device)
        with torch.no_grad():
            one = problem.masked([place], cover[None])[0, 0].cpu().numpy()
        if not problem.shared:
            each.append(one)
        elif total is None:
            total = one.astype(np.float64)
        else:
            total += one
        if tick is not None:
            tick()
    return np.stack(each) if total is None else np.asarray(total / len(problem), dtype=np.float32)


def masked_item(opened: MaskStudy, values: Array, **changes: Any) -> FieldMap:
    """Return masked inputs as an item."""
    from sensiview.numerics.volume_inputs import to_zyx

    mean = opened.problem.shared and len(opened.problem) > 1
    known: dict[str, Any] = {
        "title": "Masked input, mean over the group" if mean else "Masked input",
        "description": "What the network sees instead: the input where the mask is 1, the fill where it is 0.",
        "axes": ("z", "y", "x"),
        "unit": INPUT_VALUE,
        "over": opened.volumes.card.name,
        "affine": opened.grid.affine,
    }
    return FieldMap(values=to_zyx(values), **(known | changes))


def trace_frame(trace: Array, **labels: Any) -> pd.DataFrame:
    """Return a trace (steps, 5) of one mask as rows, its steps that were made; `labels` become columns before."""
    import pandas as pd

    from sensiview.numerics.mask_descent import TRACE_COLUMNS

    made = int(np.count_nonzero(np.isfinite(trace[:, 0])))
    columns: dict[str, Any] = {name: [value] * made for name, value in labels.items()}
    columns["step"] = np.arange(made)
    return pd.DataFrame(columns | {name: trace[:made, i] for i, name in enumerate(TRACE_COLUMNS)})


def trace_item(frames: Sequence[pd.DataFrame], series: tuple[str, ...] = (), title: str = "Trace") -> Curve:
    """Return traces as curves."""
    import pandas as pd

    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return Curve(
        title=title,
        description=TRACE_HELP,
        frame=frame,
        x="step",
        y=("objective", "probability", "area_term", "smoothness_term", "score"),
        series=series,
        units=_UNITS,
    )


def traces(opened: MaskStudy, trace: Array, **labels: Any) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """Return frames and series of one mask, or of one per subject; masks without a step yet are left out."""
    if opened.problem.shared:
        return [trace_frame(trace[0], **labels)], tuple(labels)
    named = [
        trace_frame(part, **labels, subject=name)
        for name, part in zip(opened.names, trace, strict=True)
        if np.isfinite(part[0, 0])
    ]
    return named or [trace_frame(trace[0], **labels, subject="")], (*labels, "subject")


def probability_frame(opened: MaskStudy, before: Array, after: Array, **labels: Any) -> pd.DataFrame:
    """Return subject, the class looked at, and its probability before and after."""
    import pandas as pd

    columns: dict[str, Any] = {name: [value] * len(before) for name, value in labels.items()}
    columns |= {"subject": opened.names, "class": opened.targets, "before": before, "after": after}
    return pd.DataFrame(columns)


def probability_item(frame: pd.DataFrame, keys: tuple[str, ...]) -> IndexTable:
    """Return probabilities before and after as a table."""
    return IndexTable(
        title="Probability before and after masking",
        description="Probability of the class whose score the mask lowers, for the input as it is and the masked one.",
        frame=frame,
        keys=keys,
        values=("before", "after"),
        units={"before": PROBABILITY, "after": PROBABILITY},
    )


def regions_frame(opened: MaskStudy, mask: Array, **labels: Any) -> pd.DataFrame:
    """Return the table of regions of one mask (i, j, k)."""
    from sensiview.numerics.regions import region_table

    if opened.atlas is None or opened.labels is None:
        raise ValueError("no atlas")
    table = region_table(mask, opened.labels, opened.atlas.names, opened.grid.affine, kind="mask")
    for place, (name, value) in enumerate(labels.items()):
        table.insert(place, name, [value] * len(table))
    return table


def regions_item(opened: MaskStudy, frames: Sequence[pd.DataFrame], keys: tuple[str, ...] = ()) -> IndexTable:
    """Return regions of one mask or of several as a table."""
    import pandas as pd

    from sensiview.numerics.regions import REGION_UNITS

    name = opened.atlas.name if opened.atlas is not None else ""
    return IndexTable(
        title=f"Regions of {name}" if name else "Regions",
        description="density: mean of 1 - m in the region; share_of_region: voxels masked by half or more; "
        "share_of_map: how much of the whole mask lies there.",
        frame=pd.concat(frames, ignore_index=True),
        keys=(*keys, "region"),
        # Shares alone, which one axis holds; the volume is a column beside them.
        values=("density", "share_of_region", "share_of_map"),
        units=dict(REGION_UNITS),
    )


def live_mask(opened: MaskStudy, run: MaskRun) -> Mask | None:
    """Return the mask at work at its own nodes, for a preview: it costs no interpolation."""
    from sensiview.numerics.volume_inputs import to_zyx

    descent = run.descent
    if descent is None:
        return None
    grid = descent.grid
    touched = grid.to_nodes(opened.problem.region(descent.places[:1]).to(descent.cover.dtype))[0] > 0
    values = (1 - descent.cover[0] * touched).cpu().numpy()
    affine = grid.affine(opened.grid.affine)
    while values.size > _MOST_PREVIEW_VALUES:
        values, affine = values[::2, ::2, ::2], affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    whose = "" if opened.problem.shared else f" of {opened.names[descent.places[0]]}"
    return Mask(
        title=f"Mask{whose} after {descent.step:,} steps",
        description=MASK_HELP,
        values=to_zyx(np.asarray(values, dtype=np.float32)),
        axes=("z", "y", "x"),
        unit="share kept",
        over=opened.volumes.card.name,
        affine=affine,
    )


def live_trace(opened: MaskStudy, run: MaskRun) -> Curve | None:
    """Return the trace so far of the masks at work, a dozen at most."""
    descent = run.descent
    if descent is None:
        return None
    names = ["group"] if opened.problem.shared else [opened.names[p] for p in descent.places]
    frames = [
        trace_frame(part, subject=name) for name, part in list(zip(names, descent.trace, strict=True))[:_MOST_CURVES]
    ]
    return trace_item(frames, () if opened.problem.shared else ("subject",))


def describe_masks(opened: MaskStudy, found: Masks, before: Array, masks: Array, facts: Mapping[str, Any]) -> list[str]:
    """Return in words what a mask achieves, what it covers, and what to change when it is of no use.

    `masks` (n or 1, i, j, k); `facts` has lambda_1 for advice and `regions`, names of the densest regions, and
    `elsewhere`, a sentence behind them.
    """
    region = opened.problem._region
    share = float(
        np.mean([(1 - m)[r].mean() for m, r in zip(masks, np.broadcast_to(region, masks.shape), strict=True)])
    )
    start, end = float(np.nanmean(before)), float(np.nanmean(found.after))
    classes = list(dict.fromkeys(opened.targets))
    whose = f"of '{classes[0]}'" if len(classes) == 1 else "of the subjects' classes"
    who = f"{len(opened.names)} subjects" if len(opened.names) > 1 else f"'{opened.names[0]}'"
    kind = "One mask for" if opened.problem.shared else "One mask for each of"
    words = [
        f"{kind if len(opened.names) > 1 else 'A mask for'} {who}: it replaces {100 * share:.2g} % of what may be "
        f"masked, and the mean probability {whose} goes from {start:.3f} to {end:.3f}."
    ]
    if regions := list(facts.get("regions", ())):
        words.append(f"Most masked: {', '.join(regions)}.{facts.get('elsewhere', '')}")
    weight = float(facts["lambda_1"])
    if share < 1e-4:
        words.append(
            f"The mask is as good as empty: λ1 = {weight:g} costs more than any voxel gains. Try {weight / 10:g}, or "
            "the log-odds as score where the network is very sure."
        )
    elif share > 0.2:
        words.append(
            f"That is much: λ1 = {weight:g} hardly limits the mask, which then follows every small gradient. Try "
            f"{10 * weight if weight else 1:g}."
        )
    if start < 0.5:
        words.append(
            "Without a mask the network does not give these subjects that class in the mean: there is little to lower."
        )
    elif end > 0.5:
        words.append(
            "The masked inputs are still of the class: the regions shown are not all that the network rests on."
        )
    still = int((np.isfinite(found.trace[:, :, 0]).sum(axis=1) - 1 == found.best_step).sum())
    if still and np.isfinite(found.trace[:, -1, 0]).any():
        words.append("The objective was still falling at the last step; more steps may change the mask.")
    return words


def elsewhere(tables: Sequence[pd.DataFrame]) -> str:
    """Say how much of the masks lies outside the atlas where that is most of it; empty where it is not."""
    import pandas as pd

    from sensiview.analysis.map_regions import outside

    return outside(pd.concat(tables, ignore_index=True))


def densest(tables: Sequence[pd.DataFrame], count: int) -> list[str]:
    """Return the regions with the highest mean density over tables, those with any, outside the atlas not counted."""
    import pandas as pd

    from sensiview.numerics.regions import OUTSIDE

    frame = pd.concat(tables, ignore_index=True)
    means = frame[frame["region"] != OUTSIDE].groupby("region", sort=False)["density"].mean()
    best = means[means > 0].sort_values(ascending=False, kind="stable").head(count)
    return [str(name) for name in best.index]
