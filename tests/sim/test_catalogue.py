"""Things by name: what a wrong name is answered with."""

from __future__ import annotations

import pytest

from chaoskube.sim import Catalogue, UsageError
from chaoskube.sim.catalogue import NAMES_SHOWN


def catalogue(*names: str) -> Catalogue[str]:
    made: Catalogue[str] = Catalogue("bug")
    for name in names:
        made.register(name, name)
    return made


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ((), "known: none"),
        (("vote-lost",), "known: vote-lost"),
        (("read-old", "read-twice"), "did you mean 'read-old'?"),
    ],
)
def test_a_wrong_name_is_answered_with_what_there_is(names: tuple[str, ...], hint: str) -> None:
    with pytest.raises(UsageError) as problem:
        catalogue(*names).get("read-odd")

    assert str(problem.value) == f"there is no bug called 'read-odd'; {hint}"


def test_of_many_names_those_most_alike_are_shown() -> None:
    """Forty names are no hint."""
    many = catalogue("zebra", *(f"raft-{number:020}" for number in range(40)))

    with pytest.raises(UsageError) as problem:
        many.get("zzzzz")

    said = str(problem.value).partition("known: ")[2]
    assert said.startswith("zebra, ") and said.endswith(", ...") and said.count(",") == NAMES_SHOWN
