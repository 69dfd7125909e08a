"""Names and uids that the server makes up.

Source: staging/src/k8s.io/apiserver/pkg/storage/names/generate.go.
"""

from __future__ import annotations

from random import Random

NAME_BASE_MAX = 58
NAME_SUFFIX = 5
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def generated_name(prefix: str, rng: Random) -> str:
    """The prefix, cut where names get too long, and five letters that spell nothing."""
    return prefix[:NAME_BASE_MAX] + "".join([rng.choice(NAME_LETTERS) for _ in range(NAME_SUFFIX)])


def new_uid(rng: Random) -> str:
    """A random UUID, version 4."""
    text = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
