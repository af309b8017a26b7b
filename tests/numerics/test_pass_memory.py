"""What passes take is told from a card: measured where it was, else from the layers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sensiview.models.batch_limits import MOST_ROWS, rows_that_fit
from sensiview.models.card import LayerCard, ModelCard
from sensiview.numerics.mask_cost import pass_bytes, peak_bytes
from sensiview.numerics.pass_memory import forward_row_bytes, gradient_row_bytes, row_bytes_after, scratch_bytes

MB = 10**6


def card(channels: int = 16, gradient_bytes_per_row: int = 0) -> ModelCard:
    voxels = (20, 20, 20)
    layers = (
        LayerCard(name="block", kind="Sequential", output_shape=(channels, 10, 10, 10)),
        LayerCard(name="block.conv", kind="Conv3d", output_shape=(channels, *voxels), parameters=500, depth=1),
        LayerCard(name="block.pool", kind="MaxPool3d", output_shape=(channels, 10, 10, 10), depth=1),
        LayerCard(name="drop", kind="Dropout", output_shape=(channels, 10, 10, 10)),
        LayerCard(name="fc", kind="Linear", output_shape=(2,), parameters=32_002),
    )
    return ModelCard(name="net", input_shape=(1, *voxels), layers=layers, bytes_per_row=700_000).model_copy(
        update={"gradient_bytes_per_row": gradient_bytes_per_row}
    )


def test_that_what_was_measured_counts_and_of_older_cards_the_layers() -> None:
    assert gradient_row_bytes(card(gradient_bytes_per_row=9 * MB)) == 9 * MB
    # Convolution, and three times the pool (its places are 8 bytes each); the dropout gives back what it got.
    kept = 4 * 16 * 8000 + 3 * 4 * 16 * 1000 + 4 * 2
    assert kept < 2 * 700_000
    assert gradient_row_bytes(card()) == 2 * 700_000
    assert gradient_row_bytes(card().model_copy(update={"bytes_per_row": 0})) == kept


def test_that_channels_come_in_blocks_of_sixteen() -> None:
    assert forward_row_bytes(card(16)) == 700_000
    assert forward_row_bytes(card(12)) == 700_000 + 4 * 4 * 8000
    assert gradient_row_bytes(card(12, gradient_bytes_per_row=MB)) == MB + 4 * 4 * 8000


def test_that_gradients_that_end_at_a_late_layer_take_a_forward_pass_and_at_an_early_one_more() -> None:
    known = card(gradient_bytes_per_row=9 * MB)
    assert row_bytes_after(known, "block.pool") == 700_000
    early = known.model_copy(update={"bytes_per_row": 100_000})
    assert row_bytes_after(early, "block.conv") == 4 * 16 * 8000 + 3 * 4 * 16 * 1000 + 4 * 2
    assert row_bytes_after(known, "no such layer") == 9 * MB


def test_that_several_rows_have_the_largest_weights_in_other_orders_beside_buffers() -> None:
    assert scratch_bytes(card(), 1) == 82 * MB
    assert scratch_bytes(card(), 4) == 2 * 4 * 32_002 + 82 * MB


@pytest.mark.parametrize("subjects", [1, 4])
def test_that_a_mask_run_announces_its_passes(subjects: int) -> None:
    known = card(gradient_bytes_per_row=30 * MB)
    found = peak_bytes(known, (20, 20, 20), subjects=subjects, shared=True, batch=None, fill_per_input=False)
    assert pass_bytes(known, 8000) == 30 * MB + 4 * 4 * 8000
    assert subjects * 30 * MB + 82 * MB < found < subjects * 30 * MB + 87 * MB


def test_that_rows_are_bounded_by_memory_and_by_work() -> None:
    assert rows_that_fit(4 * 1000 * MB, 10 * MB, 0, gradient=True) == 64
    assert rows_that_fit(4 * 1000 * MB, 10 * MB, int(1e10), gradient=True) == 4
    assert rows_that_fit(4 * 1000 * MB, 10 * MB, 0, "cuda") == 64
    assert rows_that_fit(0, 10 * MB, 0) == 1
    assert rows_that_fit(10**15, 1, 1) == MOST_ROWS


def test_that_a_pass_on_a_cpu_is_no_larger_than_what_goes_through_quickly() -> None:
    assert rows_that_fit(4 * 1000 * MB, 8 << 20, 0) == 4
    assert rows_that_fit(4 * 1000 * MB, 100 * MB, 0) == 1
    assert rows_that_fit(8 << 20, 1 << 20, 0) == 2


def test_that_nothing_here_loads_torch() -> None:
    modules = "sensiview.numerics.mask_cost, sensiview.analysis.map_parameters"
    code = f"import sys; import {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
