"""Quantities: `500m`, `2Gi`, `1e3`, exact.

Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go. A Quantity keeps what was written; `canonical`
is how the API server writes it back. What is finer than a thousandth is rounded up, as ScaledValue does.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from attrs import field, frozen

from chaoskube.sim import UsageError

_FORM = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]+)?")
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_MOST = 2**63 - 1


@frozen
class Quantity:
    """An exact amount; `raw` is what stood in the object (text, or a bare number in a manifest)."""

    raw: str | int | float = field(eq=repr)  # 1 and 1.0 are equal numbers, and different texts

    def __attrs_post_init__(self) -> None:
        _parse(self.text)

    @property
    def text(self) -> str:
        """The amount as text."""
        return self.raw if isinstance(self.raw, str) else repr(self.raw)

    @property
    def milli(self) -> int:
        """Thousandths, rounded up (away from zero)."""
        return _scaled(self.text, 1000)

    @property
    def value(self) -> int:
        """Whole units, rounded up (away from zero)."""
        return _scaled(self.text, 1)

    @property
    def is_zero(self) -> bool:
        """Nothing at all."""
        return _parse(self.text)[0] == 0

    @property
    def is_negative(self) -> bool:
        """Below zero."""
        return _parse(self.text)[0] < 0

    def canonical(self) -> str:
        """The amount as the API server writes it back."""
        return _canonical(self.text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Fraction, str]:
    """The amount and the form of its suffix: "binary", "decimal" or "exponent"."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"quantity {text!r} must match the form of Kubernetes: a number and one of m, k, M, G, T, P, E, "
            "Ki, Mi, Gi, Ti, Pi, Ei, or an exponent, such as 500m or 2Gi"
        )
    sign, digits, suffix = match.group(1), match.group(2), match.group(3) or ""
    amount = Fraction(digits.rstrip(".") if digits.endswith(".") else digits)
    if suffix in _BINARY:
        amount, form = amount * _BINARY[suffix], "binary"
    elif suffix in _DECIMAL:
        amount, form = amount * Fraction(10) ** _DECIMAL[suffix], "decimal"
    else:
        amount, form = amount * Fraction(10) ** max(-400, min(400, int(suffix[1:]))), "exponent"
    nano = -((-amount * 10**9) // 1)  # finer than 1n is rounded up
    amount = min(Fraction(int(nano), 10**9), Fraction(_MOST))
    return (-amount if sign == "-" else amount), form


@lru_cache(maxsize=4096)
def _scaled(text: str, scale: int) -> int:
    amount = _parse(text)[0] * scale
    up = -((-abs(amount)) // 1)
    return int(up) if amount >= 0 else -int(up)


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    amount, form = _parse(text)
    if amount == 0:
        return "0"
    if form == "binary" and (abs(amount) < 1024 or amount.denominator != 1):
        form = "decimal"  # -1024 < amount < 1024, or a fraction: written as a decimal
    if form == "binary":
        return _binary(int(amount))
    exponent = -9
    nano = int(amount * 10**9)
    while nano % 1000 == 0 and exponent < 18:
        nano, exponent = nano // 1000, exponent + 3
    if form == "exponent":
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{next(name for name, power in _DECIMAL.items() if power == exponent)}"


def _binary(amount: int) -> str:
    suffix = ""
    for name in _BINARY:
        if amount % 1024:
            break
        amount, suffix = amount // 1024, name
    return f"{amount}{suffix}"
