"""Quantities as figures: plain numbers of them, and the texts that metrics-server and autoscalers write."""

from __future__ import annotations

from notebook_mux.playground import quantities
from notebook_mux.playground.quantities import BINARY, NANO, Quantity


def value(text: object) -> float:
    """A quantity's value in its base unit: cores, bytes.

    Raises:
        NoQuantity: It is none (a ValueError).
    """
    return quantities.parse(text).nano / NANO


def milli(text: object) -> int:
    """A quantity in thousandths, rounded up as the server does.

    Raises:
        NoQuantity: It is none.
    """
    return quantities.parse(text).milli


def cores(amount: float) -> str:
    """Cores as metrics-server writes them: in nanocores, ``0`` for none."""
    nano = round(amount * NANO)
    return f"{nano}n" if nano else "0"


def bytes_(amount: float) -> str:
    """Bytes as metrics-server writes them: in whole kibibytes."""
    return f"{int(amount) >> 10}Ki"


def of_milli(amount: int, *, memory: bool = False) -> str:
    """A number of thousandths in its shortest form: ``250m``, ``2``, ``64Mi``."""
    return str(Quantity(amount * (NANO // 1000), BINARY) if memory else Quantity(amount * (NANO // 1000)))
