"""The traits that users set: what they cannot be is refused as everything else is, and the old value stands."""

from __future__ import annotations

import reprlib
from typing import Any

import traitlets  # whose classes take no type arguments in its older versions

from notebook_mux.errors import InvalidArgument
from notebook_mux.widgets.settings import checked_labels


class _Set(traitlets.TraitType):  # type: ignore[type-arg]
    """Before one of traitlets' own classes: it takes what they take."""

    def validate(self, obj: Any, value: Any) -> Any:
        """The value as it is kept.

        Raises:
            InvalidArgument: It is of the wrong type, or out of bounds.
        """
        try:
            return super().validate(obj, value)  # type: ignore[misc]  # the class behind has it
        except traitlets.TraitError:
            raise InvalidArgument(
                f"{self.name} cannot be {reprlib.repr(value)}",
                todo=f"give {self._expected()}{' or None' if self.allow_none else ''}",
            ) from None

    def _expected(self) -> str:
        raise NotImplementedError


class Text(_Set, traitlets.Unicode):  # type: ignore[type-arg]
    """A text."""

    def _expected(self) -> str:
        return "a text"


class Switch(_Set, traitlets.Bool):  # type: ignore[type-arg]
    """On or off."""

    def _expected(self) -> str:
        return "True or False"


class Number(_Set, traitlets.Int):  # type: ignore[type-arg]
    """A whole number between two others."""

    def _expected(self) -> str:
        return f"a whole number from {self.min} to {self.max}"


class Choice(_Set, traitlets.Enum):  # type: ignore[type-arg]
    """One of several values."""

    def _expected(self) -> str:
        return f"one of {', '.join(map(repr, self.values or ()))}"


class Several(_Set, traitlets.Tuple):
    """A tuple."""

    def _expected(self) -> str:
        return "a tuple or a list"


class Labels(traitlets.TraitType):  # type: ignore[type-arg]
    """Keys of labels."""

    default_value: Any = ()

    def validate(self, obj: Any, value: Any) -> tuple[str, ...]:
        """See `settings.checked_labels`."""
        return checked_labels(value)
