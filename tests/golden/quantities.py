"""Resource quantities as whole numbers: thousandths of a CPU, bytes of memory. Naive, apart from the model's own."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_SUFFIXES = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
}
_QUANTITY = re.compile(r"([0-9.]+)([A-Za-z]*)")


def milli_cpu(quantity: str) -> int:
    """Thousandths, rounded up; 0 for ""."""
    return _whole(quantity, 1000)


def memory_bytes(quantity: str) -> int:
    """Bytes, rounded up; 0 for ""."""
    return _whole(quantity, 1)


def _whole(quantity: str, unit: int) -> int:
    found = _QUANTITY.fullmatch(quantity)
    if found is None:
        return 0
    return math.ceil(Fraction(found.group(1)) * _SUFFIXES[found.group(2)] * unit)
