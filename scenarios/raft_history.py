"""What the exploration "raft" remembers of the past: votes, leaders, what was applied, what clients were told.

Events are what members did; the history is folded from them, and keeps no more than checks ask for, because each
difference in it is one more state. Made by `raft_members.py`, read by `raft_checks.py`.
"""

from __future__ import annotations

from collections.abc import Hashable

from attrs import evolve, frozen

from chaoskube.exploration import Names


@frozen(kw_only=True)
class Voted:
    """A member's vote has left for its candidate (or counts at itself)."""

    term: int
    candidate: int


@frozen(kw_only=True)
class Led:
    """A member became the leader of a term."""

    term: int


@frozen(kw_only=True)
class Applied:
    """A member applied an entry, in this term of its own; `follows` when it had applied the one before."""

    index: int
    term: int
    data: Hashable
    in_term: int
    follows: bool


@frozen(kw_only=True)
class Acknowledged:
    """A client heard that its request took effect, as the entry at this index."""

    number: int
    index: int


@frozen(kw_only=True)
class ReadAsked:
    """A client asked for a linearizable read."""

    number: int


@frozen(kw_only=True)
class ReadAnswered:
    """A read may be answered from the state at this index."""

    number: int
    index: int


@frozen(kw_only=True)
class Committed:
    """What was first applied at an index, and in which term of the member that did."""

    term: int
    data: Hashable
    in_term: int


@frozen(kw_only=True)
class RaftHistory:
    """What has to be remembered: votes (the latest term of each member), leaders, what was committed, what was asked."""

    votes: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    """Member, term, whom it voted for."""
    leaders: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Term, who led it."""
    committed: tuple[Committed, ...] = ()
    acknowledged: int = 0
    """The newest index that a client has heard of."""
    asked: tuple[tuple[int, int], ...] = ()
    """Reads under way, and what had been acknowledged before."""
    wrong: tuple[tuple[str, str], ...] = ()
    """What one event alone has shown to be wrong: the check that says so, and what it says."""

    def after(self, member: int, event: Hashable) -> RaftHistory:
        """The history with this event in it."""
        if isinstance(event, Voted):
            return self._voted(member, event)
        if isinstance(event, Led):
            leaders = dict(self.leaders)
            leaders[event.term] = tuple(sorted({*leaders.get(event.term, ()), member}))
            return evolve(self, leaders=tuple(sorted(leaders.items())))
        if isinstance(event, Applied):
            return self._applied(member, event)
        if isinstance(event, Acknowledged):
            return evolve(self, acknowledged=max(self.acknowledged, event.index))
        if isinstance(event, ReadAsked):
            return evolve(self, asked=(*self.asked, (event.number, self.acknowledged)))
        assert isinstance(event, ReadAnswered), f"an event of ours, not {event!r}"
        return self._answered(member, event)

    def _voted(self, member: int, event: Voted) -> RaftHistory:
        votes = {voter: (term, candidates) for voter, term, candidates in self.votes}
        term, candidates = votes.get(member, (0, ()))
        if event.term < term:
            return self
        known = candidates if event.term == term else ()
        votes[member] = (event.term, tuple(sorted({*known, event.candidate})))
        return evolve(self, votes=tuple((voter, *vote) for voter, vote in sorted(votes.items())))

    def _applied(self, member: int, event: Applied) -> RaftHistory:
        if not event.follows:
            return self._with(
                "entries-are-applied-in-order",
                f"member {member} applies entry {event.index}, not the one before",
            )
        if event.index > len(self.committed):
            one = Committed(term=event.term, data=event.data, in_term=event.in_term)
            return evolve(self, committed=(*self.committed, one))
        first = self.committed[event.index - 1]
        if (first.term, first.data) == (event.term, event.data):
            return self
        return self._with(
            "state-machine-safety",
            f"member {member} applies {entry_text(event.index, event.term, event.data)}; "
            f"somebody applied {entry_text(event.index, first.term, first.data)}",
        )

    def _answered(self, member: int, event: ReadAnswered) -> RaftHistory:
        asked = dict(self.asked)
        floor = asked.pop(event.number, 0)
        after = evolve(self, asked=tuple(asked.items()))
        if event.index >= floor:
            return after
        return after._with(
            "a-read-sees-what-was-acknowledged",
            f"member {member} lets read {event.number} be answered at index {event.index}; "
            f"index {floor} was acknowledged before it was asked",
        )

    def _with(self, name: str, message: str) -> RaftHistory:
        return evolve(self, wrong=(*self.wrong, (name, message)))

    def key(self, names: Names) -> Hashable:
        """All of it, with members renamed."""
        return (
            tuple(
                sorted(
                    (names[voter], term, tuple(sorted(names[one] for one in candidates)))
                    for voter, term, candidates in self.votes
                )
            ),
            tuple((term, tuple(sorted(names[one] for one in leaders))) for term, leaders in self.leaders),
            tuple((one.term, one.data, one.in_term) for one in self.committed),
            self.acknowledged,
            self.asked,
            tuple(name for name, _ in self.wrong),
        )


def entry_text(index: int, term: int, data: Hashable) -> str:
    """Which entry, and what is in it."""
    return f"{place_text(index, term)} ({'empty' if data is None else f'request {data}'})"


def place_text(index: int, term: int) -> str:
    """An entry by its place in the log; index 0 is before the first."""
    return f"entry {index} of term {term}" if index else "the beginning"
