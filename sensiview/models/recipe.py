"""How a network is trained: plain values, for forms, commands and records. Loads no torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


def _field(default: Any, label: str, text: str, **bounds: Any) -> Any:
    return Field(default, title=label, description=text, **bounds)


class TrainingRecipe(BaseModel):
    """The settings of one training run. Every architecture has its own defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    epochs: int = _field(200, "Epochs", "How often every training row is seen.", ge=1, le=1_000_000)
    learning_rate: float = _field(1e-3, "Learning rate", "Size of the steps.", gt=0, le=10)
    weight_decay: float = _field(0.0, "Weight decay", "How strongly weights are drawn towards zero.", ge=0, le=1)
    momentum: float = _field(0.0, "Momentum", "Of the previous step in the next one; for SGD only.", ge=0, lt=1)
    optimiser: Literal["sgd", "adam", "adamw"] = _field("adam", "Optimiser", "How steps follow from gradients.")
    batch_size: int = _field(64, "Batch size", "Rows per step; 0 takes all training rows at once.", ge=0)
    train_rows: str = _field(
        "", "Training rows", "Row numbers from 0, such as '0-499,600'. Empty: drawn at random.", max_length=100_000
    )
    test_rows: str = _field(
        "", "Test rows", "Rows kept for testing. Empty: those that are not trained on.", max_length=100_000
    )
    test_share: float = _field(0.2, "Share for testing", "Where no rows are given: how many are kept.", gt=0, lt=1)
    loss: Literal["auto", "binary_cross_entropy", "cross_entropy", "mean_squared_error"] = _field(
        "auto", "Loss", "What is made small; 'auto' follows from the network's output."
    )
    class_weights: Literal["none", "balanced"] | list[float] = _field(
        "none", "Class weights", "'balanced' lets rare classes count as much as common ones; or one number per class."
    )
    standardise: bool = _field(
        True, "Standardise", "Mean 0 and standard deviation 1 per column, from the training rows; part of the model."
    )
    early_stopping: int = _field(
        0, "Stop early", "Epochs without a better test loss before it ends with the best weights; 0 never.", ge=0
    )

    @field_validator("class_weights")
    @classmethod
    def _positive(cls, value: Any) -> Any:
        if isinstance(value, list) and (not value or min(value) < 0 or max(value) <= 0):
            raise ValueError("class weights must be 0 or larger, and one of them larger")
        return value
