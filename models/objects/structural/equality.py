"""When two JSON values are the same: as Go sees it, so that true is not 1, and 1 is 1.0.

Called by the rest of this folder.
"""

from __future__ import annotations

from collections.abc import Mapping


def same(one: object, two: object) -> bool:
    """Whether two values are equal, down to the last bool."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return one == two
