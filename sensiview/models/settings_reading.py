"""Settings of a preprocessing in a model's card, read with sentences for what is wrong. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sensiview.errors import ModelError, suggestion

S = TypeVar("S", bound=BaseModel)


def read_settings(declaration: type[S], settings: Mapping[str, Any], name: str) -> S:
    """Return the settings of the model called `name`, checked.

    Raises
    ------
    ModelError
        An unknown name, or a value that makes no sense.
    """
    known = list(declaration.model_fields)
    for key in settings:
        if key not in known:
            raise ModelError(f"The preprocessing of '{name}' has no setting '{key}'.{suggestion(str(key), known)}")
    try:
        return declaration(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][:1]))
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ModelError(
            f"The preprocessing of '{name}' can't be used{f' at {place!r}' if place else ''}: {reason}."
        ) from None
