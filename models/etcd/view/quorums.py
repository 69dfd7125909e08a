"""Whose votes count in a configuration, and whether two configurations can decide without each other.

Part of `RaftView`.
"""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class Membership:
    """Whose votes count."""

    voters: tuple[str, ...]
    voters_outgoing: tuple[str, ...] = ()
    learners: tuple[str, ...] = ()
    by: str = field(default="", eq=False)

    @property
    def halves(self) -> tuple[tuple[str, ...], ...]:
        """A majority of each is a quorum."""
        return (self.voters, self.voters_outgoing) if self.voters_outgoing else (self.voters,)


def overlap(some: Membership, others: Membership) -> bool:
    """Does every quorum of the one share a member with every quorum of the other?

    Majorities of two sets meet when together they are more than there are members; one such pair of halves is enough.
    """
    return any(
        len(one) // 2 + 1 + len(other) // 2 + 1 > len({*one, *other})
        for one in some.halves
        for other in others.halves
    )


def halves_in_words(membership: Membership) -> str:
    """Whose votes count."""
    return " and ".join(_listed(half) for half in membership.halves)


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values) or "nothing"
