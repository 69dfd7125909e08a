"""What is on each member's disk, as far as its journal said so: terms, and the logs entry by entry.

Logs are compared as their entries reach a disk: two that hold the same (index, term) must hold the same content after
an entry of the same term; by induction they are then equal up to there (log matching), at the price of one look-up
an entry.

Part of `RaftView`, which passes the events on. Not modelled: entries that a member holds in memory only; nobody was
told of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from chaoskube.models.etcd.events import Recovered, SnapshotInstalled
from chaoskube.models.raft.events import Appended

UNKNOWN_TERM = -1
FIRST_TERM = 1
"""Of the entry before the first that is known."""


@define
class MemberLog:
    """What is on one member's disk: the terms of the entries after `base`."""

    base: int = 0
    base_term: int = 0
    terms: list[int] = field(factory=list)

    @property
    def last(self) -> int:
        """The index of the last entry."""
        return self.base + len(self.terms)

    @property
    def last_term(self) -> int:
        """The term of the last entry."""
        return self.terms[-1] if self.terms else self.base_term

    def term(self, index: int) -> int | None:
        """None where it isn't known: before the base, or after the end."""
        if index == self.base:
            return self.base_term
        return self.terms[index - self.base - 1] if self.base < index <= self.last else None

    def cut(self, first: int) -> None:
        """Entries from `first` on are there no more."""
        del self.terms[max(0, first - 1 - self.base) :]


class LogsView:
    """The members' logs and terms, and what does not fit together in them."""

    def __init__(self) -> None:
        self.append_conflict = ""
        """A leader replaced entries of its own log; in words."""
        self.match_conflict = ""
        """Two logs agree at an entry and differ before it; in words."""
        self.growth_conflict = ""
        """A term fell, or a log lost entries that were on its disk; in words."""
        self.of: dict[str, MemberLog] = {}
        self._terms: dict[str, int] = {}
        self._entries: dict[tuple[int, int], tuple[int, int]] = {}
        self._changes: dict[int, set[int]] = {}
        """Of changes of members: the terms that they have had at each index."""

    def forget(self, member: str) -> None:
        """Somebody else has its name from now on."""
        self.of.pop(member, None)
        self._terms.pop(member, None)

    def term_of(self, member: str) -> int:
        """The term on the member's disk; 0 where nothing has been said of it."""
        return self._terms.get(member, 0)

    def grow_term(self, member: str, term: int) -> None:
        """This term is on the member's disk."""
        before = self._terms.get(member, 0)
        if term < before and not self.growth_conflict:
            self.growth_conflict = f"{member} is in term {term}, and was in term {before} before"
        self._terms[member] = term

    def append(self, member: str, event: Appended, led_term: int) -> None:
        """These entries are on the member's disk; it leads `led_term`, or 0."""
        log = self.of.get(member)
        if log is None or event.first > log.last + 1:
            log = self.of[member] = MemberLog(
                base=event.first - 1, base_term=UNKNOWN_TERM if event.first > 1 else 0
            )
        elif event.first <= log.base:
            return
        if led_term and event.first <= log.last:
            self._check_own(member, log, event, led_term)
        log.cut(event.first)
        for offset, (term, content) in enumerate(zip(event.terms, event.contents, strict=True)):
            self._match(member, event.first + offset, term, content, log.last_term)
            log.terms.append(term)

    def changes_under_way(self, member: str, event: Appended, committed: int) -> str:
        """Two changes of members of which neither is committed, in one log; in words, "" for none.

        Those of the first term make the cluster, and nobody leads it.
        """
        log = self.of[member]
        for index in event.changes:
            if index <= committed or (log.term(index) or 0) <= FIRST_TERM:
                continue
            self._changes.setdefault(index, set()).add(log.term(index) or 0)
            for earlier in range(committed + 1, index):
                if log.term(earlier) in self._changes.get(earlier, ()):
                    return f"{member} holds two changes of members that aren't committed, entries {earlier} and {index}"
        return ""

    def winner_without(self, index: int, term: int, voters: Sequence[str]) -> str:
        """A voter whose log a majority would vote for, and that lacks this entry; "" for none."""
        logs = [(name, self.of[name]) for name in voters if name in self.of]
        for name, log in logs:
            if index <= log.base or log.term(index) == term:
                continue
            votes = sum((one.last_term, one.last) <= (log.last_term, log.last) for _, one in logs)
            if votes > len(voters) // 2:
                return name
        return ""

    def recover(self, member: str, event: Recovered) -> None:
        """The member boots with what its disk has: entries too that were written and not synced, of which nothing is known.

        Such an entry may have taken the place of known ones and of all that followed: a log that ends with one is no loss.
        """
        self.grow_term(member, event.term)
        log = self.of.get(member)
        if log is None:
            return
        is_known = log.term(event.last_index) in (None, event.last_term)
        if event.last_index < log.last and is_known and not self.growth_conflict:
            self.growth_conflict = f"{member} found entries up to {event.last_index} on its disk, where they went up to {log.last}"
        if event.last_index > log.last or not is_known:
            del self.of[member]
        log.cut(event.last_index + 1)

    def install(self, member: str, event: SnapshotInstalled) -> None:
        """A snapshot replaces the log, unless the log goes on from it."""
        log = self.of.setdefault(member, MemberLog())
        if log.term(event.index) != event.term:
            self.of[member] = MemberLog(base=event.index, base_term=event.term)

    def _check_own(self, leader: str, log: MemberLog, event: Appended, led_term: int) -> None:
        had = tuple(log.terms[event.first - 1 - log.base :])
        if had != event.terms[: len(had)] and not self.append_conflict:
            self.append_conflict = (
                f"{leader}, which leads term {led_term}, replaces entries of its log from {event.first} on: "
                f"terms {_listed(had)} by {_listed(event.terms)}"
            )

    def _match(self, member: str, index: int, term: int, content: int, before: int) -> None:
        known = self._entries.get((index, term))
        if known is None or known[1] == UNKNOWN_TERM:
            self._entries[(index, term)] = (content, before)
        if known is None or self.match_conflict:
            return
        if known[0] != content:
            self.match_conflict = (
                f"entry {index} of term {term} is request {known[0]}, and {content} for {member}"
            )
        elif UNKNOWN_TERM not in (before, known[1]) and known[1] != before:
            self.match_conflict = (
                f"entry {index} of term {term} follows term {known[1]}, and term {before} for {member}"
            )


def _listed(values: tuple[int, ...]) -> str:
    return ", ".join(str(value) for value in values)
