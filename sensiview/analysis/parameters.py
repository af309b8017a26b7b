"""Parameters of an analysis: one frozen declaration gives the form, the command line, the schema and the checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensiview.errors import UserError, complaints, suggestion


class Parameters(BaseModel):
    """Base of every analysis's parameters. Fields are declared with `parameter`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, validate_default=True)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check values from Python, a form or a file.

        Raises
        ------
        UserError
            One sentence per wrong value, naming it; unknown names come with the nearest known one.
        """
        known = list(cls.model_fields)
        for name in values:
            if name not in known:
                raise UserError(f"There is no parameter '{name}'.{suggestion(name, known)}")
        try:
            return cls(**values)
        except ValidationError as error:
            raise UserError(" ".join(_sentence(*complaint) for complaint in complaints(error))) from None

    @classmethod
    def parse_strings(cls, values: Mapping[str, str]) -> Self:
        """Check ``name=value`` pairs of a command line: JSON where it reads as JSON, text otherwise.

        ``true``, ``yes`` and the like are yes or no only where a parameter can be that: they may be classes' names.
        """
        return cls.parse({name: _from_text(text, yes_or_no=cls._may_be_bool(name)) for name, text in values.items()})

    @classmethod
    def _may_be_bool(cls, name: str) -> bool:
        field = cls.model_fields.get(name)
        return field is None or field.annotation is bool or bool in get_args(field.annotation)

    @classmethod
    def of_other_kinds(cls, kind: str) -> tuple[str, ...]:
        """Return the names of parameters that mean nothing for this kind of data."""
        found = []
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            kinds = extra.get("kinds") if isinstance(extra, dict) else None
            if isinstance(kinds, list) and kind not in kinds:
                found.append(name)
        return tuple(found)

    def misplaced(self, kind: str) -> list[str]:
        """Return a sentence for each value that was given although it means nothing for this kind of data."""
        given = (n for n in self.of_other_kinds(kind) if getattr(self, n) != type(self).model_fields[n].default)
        return [f"The parameter '{name}' has no meaning for {kind}. Leave it out." for name in given]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: what a run records and `parse` takes back."""
        return self.model_dump(mode="json")


def _from_text(text: str, *, yes_or_no: bool) -> Any:
    word = text.strip().lower()
    if word in ("true", "yes", "on", "false", "no", "off"):
        return word in ("true", "yes", "on") if yes_or_no else text.strip()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [part.strip() for part in text.split(",")] if "," in text else text


def _sentence(name: str, message: str, given: Any) -> str:
    shown = f" (given: {given!r})" if isinstance(given, int | float | str | bool) else ""
    return f"{name or 'parameters'}: {message}{shown}."


def parameter(
    default: Any,
    *,
    label: str,
    help: str,  # noqa: A002 - the word users see
    unit: str = "",
    advanced: bool = False,
    suggestions: str = "",
    kinds: tuple[str, ...] = (),
    **bounds: Any,
) -> Any:
    """Declare one parameter.

    Parameters
    ----------
    default : Any
        The value used when nothing is given.
    label, help, unit : str
        What the form shows: a short label, a sentence, the unit behind the field.
    advanced : bool
        Shown only after "More settings".
    suggestions : str
        What the form offers for a free field: ``factors``, ``outputs``, ``layers``, ``classes``, ``partitions``,
        ``generators``, or ``runs``, of some analyses only with their keys: ``runs:morris,sobol``.
    kinds : tuple of str
        Kinds of data (``table``, ``images``, ``volumes``) that it has a meaning for; empty for all. The form shows it
        for these only.
    bounds
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length`` as pydantic takes them.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced, "suggestions": suggestions}
    if kinds:
        extra["kinds"] = list(kinds)
    return Field(default, title=label, description=help, json_schema_extra=extra, **bounds)
