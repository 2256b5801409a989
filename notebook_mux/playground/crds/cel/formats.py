"""``format.dns1123Label().validate('a-b')``: the formats that have a name, and what is wrong with a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from notebook_mux.playground.checking import base
from notebook_mux.playground.crds import formats
from notebook_mux.playground.crds.cel.declared import NAMED_FORMATS
from notebook_mux.playground.crds.cel.network import NotParsed, parse_url
from notebook_mux.playground.crds.cel.values import CelError, Optional

Problems = Callable[[str], list[str]]

_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
DNS_1035_SAID = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def _label(text: str) -> list[str]:
    found = base.label_problems(text)
    return [base.LABEL_SAID if said.startswith("must not contain dots") else said for said in found]


def _dns1035(text: str) -> list[str]:
    found = [f"must be no more than {base.LABEL_LIMIT} characters"] if len(text) > base.LABEL_LIMIT else []
    return found if _DNS_1035.fullmatch(text) else [*found, DNS_1035_SAID]


def _prefix(problems: Problems) -> Problems:
    """Of the beginning of a name, which may end with a dash: more comes."""
    return lambda text: problems(f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text)


def _uri(text: str) -> list[str]:
    try:
        parse_url(text)
    except NotParsed as error:
        return [str(error)]
    return []


def _known(form: str, said: str) -> Problems:
    return lambda text: [] if formats.KNOWN[form](text) else [said]


_PROBLEMS: dict[str, Problems] = dict(zip(NAMED_FORMATS, (
    _label, base.subdomain_problems, _dns1035, base.qualified_problems, _prefix(_label),
    _prefix(base.subdomain_problems), _prefix(_dns1035), base.value_problems, _uri,
    _known("uuid", "does not match the UUID format"), _known("byte", "invalid base64"), _known("date", "invalid date"),
    _known("datetime", "invalid datetime"),
), strict=True))  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """A format.

    Args:
        name: One of `NAMED_FORMATS`.
    """

    name: str
    cel_type: ClassVar[str] = "kubernetes.NamedFormat"

    def validate(self, text: Any) -> Optional:
        """What is wrong with a text; none if nothing is."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        found = _PROBLEMS[self.name](text)
        return Optional(found, True) if found else Optional()


def named(name: Any) -> Optional:
    """``format.named('uri')``."""
    return Optional(NamedFormat(name), True) if name in NAMED_FORMATS else Optional()
