"""Who led which term, who voted for whom, what is committed, and who the members are.

Kept as what was known *before* the event that is being recorded, plus a conflict in words as soon as two events
do not fit together: an invariant only has to look. The properties are those of the Raft dissertation, figure 3.2, and
of etcd's specification (etcd-io/raft tla/etcdraft.tla); what concerns disks is in `logs.py`.

Part of `EtcdView`. A restore makes another cluster of the same processes: everything begins anew then.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.models.etcd.events import (
    Acknowledged,
    MemberListChanged,
    Recovered,
    Restored,
    SnapshotInstalled,
)
from chaoskube.models.etcd.view.logs import UNKNOWN_TERM, LogsView
from chaoskube.models.etcd.view.quorums import Membership, halves_in_words, overlap
from chaoskube.models.raft.events import (
    Appended,
    BecameLeader,
    Committed,
    ConfigApplied,
    SteppedDown,
    TermChanged,
    Voted,
)
from chaoskube.sim import Entry, Journal, ProcessStopped


@frozen(kw_only=True)
class Chosen:
    """What the first member that knew says is committed at an index."""

    term: int
    """Of the entry."""
    content: int
    by: str
    known_in: int
    """The term that the first who knew was in. The entry was committed in this term or before: an earlier one may have made it,
    and whoever leads a term between the two need not have it."""


class RaftView:
    """Leaders, votes, logs, committed entries and configurations of one cluster."""

    def __init__(self, journal: Journal) -> None:
        self.on_joined: list[Callable[[str], None]] = []
        """Told when somebody joins, under a name that somebody else may have had."""
        self._cluster = 0
        self._forget()
        journal.subscribe(BecameLeader, self._became_leader)
        journal.subscribe(SteppedDown, self._stepped_down)
        journal.subscribe(ProcessStopped, self._process_stopped)
        journal.subscribe(Committed, self._committed)
        journal.subscribe(Voted, self._voted)
        journal.subscribe(Acknowledged, self._acknowledged)
        journal.subscribe(TermChanged, self._term_changed)
        journal.subscribe(Appended, self._appended)
        journal.subscribe(Recovered, self._recovered)
        journal.subscribe(SnapshotInstalled, self._installed)
        journal.subscribe(ConfigApplied, self._configured)
        journal.subscribe(MemberListChanged, self._configured)
        journal.subscribe(Restored, self._restored)

    def _forget(self) -> None:
        self.leaders_by_term: dict[int, dict[str, int]] = {}
        """For each term its leaders, with the index of their first own entry."""
        self.chosen: dict[int, Chosen] = {}
        self.committed_conflict = ""
        """Two members hold different entries to be committed at one index; in words."""
        self.votes: dict[tuple[int, str], str] = {}
        self.vote_conflict = ""
        """A member gave two votes in one term; in words."""
        self.acknowledged: dict[int, int] = {}
        """For each term the highest index that a client was told of by who was in it."""
        self.logs = LogsView()
        self.completeness_conflict = ""
        """A leader lacks what was committed in an earlier term; in words."""
        self.winner_conflict = ""
        """Somebody could be elected who lacks what is committed; in words."""
        self.gap_conflict = ""
        """An index was left out, or committed again; in words."""
        self.membership_conflict = ""
        """Two configurations that follow each other have quorums that share nobody; in words."""
        self.members: dict[int, Membership] = {}
        """Configurations by the index of the entry that made them."""
        self._counted: dict[str, Membership] = {}
        """The newest configuration that each member has applied."""
        self._first_entries = 0
        """So many entries make the first members; a member that joins later applies them one by one."""
        self.leading: dict[str, int] = {}
        """The term that each believes to lead."""
        self.last_committed = 0
        self.committed_by: dict[str, int] = {}

    @property
    def current_members(self) -> tuple[str, ...]:
        """Who the members are by the newest configuration that anybody applied; nobody while none is known."""
        newest = self._newest()
        return (*newest.voters, *newest.voters_outgoing, *newest.learners)

    @property
    def current_voters(self) -> tuple[str, ...]:
        """Those of them that vote; in a joint configuration those of the new half."""
        return self._newest().voters

    @property
    def current_learners(self) -> tuple[str, ...]:
        """Those of them that have no vote."""
        return self._newest().learners

    def is_stranded(self, name: str) -> bool:
        """Must this member wait for votes of somebody who was removed, and is no more?

        It happens when one of two is removed, ends, and the other was down before it heard that the removal is committed: what
        etcd's Raft warns of (README.md, implementation notes: clusters of two). No promise of liveness holds then.
        """
        own, members = self._counted.get(name), self.current_members
        halves = own.halves if own is not None else ()
        return any(sum(one in members for one in half) <= len(half) // 2 for half in halves)

    def _newest(self) -> Membership:
        return self.members[max(self.members)] if self.members else Membership(voters=())

    def acknowledged_before(self, term: int) -> int:
        """The highest index of which a client was told before `term` had a leader; 0 for none."""
        return max((index for told_in, index in self.acknowledged.items() if told_in <= term), default=0)

    def newer_leader_without(self, index: int) -> str:
        """A leader that lacked the entry at `index`, which somebody else committed before its term; "" for none."""
        chosen = self.chosen[index]
        for later, leaders in self.leaders_by_term.items():
            if later > max(chosen.known_in - 1, chosen.term):
                for leader, first_index in leaders.items():
                    if first_index <= index:
                        return f"{leader}, which leads term {later} from index {first_index} on"
        return ""

    # -- leaders and votes

    def _became_leader(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, BecameLeader)
        self.leaders_by_term.setdefault(event.term, {})[entry.by] = event.first_index
        self.leading[entry.by] = event.term
        self._check_completeness(entry.by, event)

    def _check_completeness(self, leader: str, event: BecameLeader) -> None:
        """The newest entry that was committed in an earlier term is in its log; with log matching, all are."""
        index = self.last_committed
        chosen = self.chosen.get(index)
        while chosen is not None and chosen.known_in > event.term:
            index -= 1
            chosen = self.chosen.get(index)
        log = self.logs.of.get(leader)
        if chosen is None or log is None or index < log.base or self.completeness_conflict:
            return
        term = log.term(index)
        if term == UNKNOWN_TERM:
            return
        if term != chosen.term or event.first_index <= index:
            self.completeness_conflict = (
                f"{leader} leads term {event.term} with {'nothing' if term is None else f'an entry of term {term}'} "
                f"at index {index}, where {chosen.by} had an entry of term {chosen.term} committed"
            )

    def _stepped_down(self, entry: Entry) -> None:
        self.leading.pop(entry.by, None)

    def _process_stopped(self, entry: Entry) -> None:
        self.leading.pop(entry.by, None)
        self.committed_by.pop(entry.by, None)

    def _voted(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Voted)
        first = self.votes.setdefault((event.term, entry.by), event.candidate)
        if first != event.candidate:
            self.vote_conflict = (
                f"{entry.by} voted for {first} and for {event.candidate} in term {event.term}"
            )

    # -- what is committed

    def _committed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Committed)
        self._check_gap(entry.by, event)
        index, known = event.first, self.last_committed
        for term, content in zip(event.terms, event.contents, strict=True):
            chosen = self.chosen.get(index)
            if chosen is None:
                known_in = max(term, self.logs.term_of(entry.by))
                self.chosen[index] = Chosen(term=term, content=content, by=entry.by, known_in=known_in)
                self.last_committed = max(self.last_committed, index)
            elif chosen.term != term or chosen.content != content:
                self.committed_conflict = (
                    f"index {index} is request {chosen.content} of term {chosen.term} for {chosen.by} "
                    f"and request {content} of term {term} for {entry.by}"
                )
            index += 1
        if self.last_committed > known:
            self._check_winners()

    def _check_winners(self) -> None:
        """Whoever the voters would elect, by what is on their disks, has the newest committed entry."""
        index = self.last_committed
        chosen = self.chosen[index]
        winner = self.logs.winner_without(index, chosen.term, self.current_voters)
        if winner and not self.winner_conflict:
            self.winner_conflict = (
                f"{winner} can win an election without entry {index} of term {chosen.term}, which {chosen.by} holds "
                "to be committed"
            )

    def _check_gap(self, by: str, event: Committed) -> None:
        before = self.committed_by.get(by)
        if before is not None and event.first != before + 1 and not self.gap_conflict:
            self.gap_conflict = (
                f"{by} holds entries from {event.first} on to be committed, after those up to {before}"
            )
        self.committed_by[by] = event.first + len(event.terms) - 1

    def _acknowledged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Acknowledged)
        term = max(event.term, self.logs.term_of(entry.by))
        self.acknowledged[term] = max(self.acknowledged.get(term, 0), event.index)

    # -- what is on disks

    def _term_changed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, TermChanged)
        self.logs.grow_term(entry.by, event.term)

    def _appended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Appended)
        self.logs.append(entry.by, event, self.leading.get(entry.by, 0))
        if event.changes and not self.membership_conflict:
            self.membership_conflict = self.logs.changes_under_way(entry.by, event, self.last_committed)

    def _recovered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Recovered)
        self.committed_by.pop(entry.by, None)
        if self.members and entry.by not in self.current_members:
            self.forget_member(entry.by)
        self.logs.recover(entry.by, event)

    def _installed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, SnapshotInstalled)
        self.committed_by[entry.by] = event.index
        self.logs.install(entry.by, event)

    # -- who the members are

    def _configured(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ConfigApplied | MemberListChanged)
        if not event.voters:
            return
        new = Membership(
            voters=event.voters,
            voters_outgoing=event.voters_outgoing,
            learners=event.learners,
            by=entry.by,
        )
        self._counted[entry.by] = new
        if not self.members:
            self._first_entries = len(event.voters)
        elif event.index <= self._first_entries:
            return
        known = self.members.setdefault(event.index, new)
        if known != new:
            self._conflict_of_members(event.index, known, new)
        elif known is new:
            self._follow_on(event.index, new)

    def _follow_on(self, index: int, new: Membership) -> None:
        """A configuration that nobody had before."""
        earlier = [one for one in self.members if one < index]
        old = self.members[max(earlier)] if earlier else new
        if not overlap(old, new):
            self._conflict_of_members(index, old, new)
        for name in (*new.voters, *new.learners):
            if earlier and name not in (*old.voters, *old.voters_outgoing, *old.learners):
                self.forget_member(name)

    def forget_member(self, name: str) -> None:
        """Somebody joins, with an empty disk."""
        for listener in self.on_joined:
            listener(name)
        self.logs.forget(name)
        self.committed_by.pop(name, None)
        for vote in [vote for vote in self.votes if vote[1] == name]:
            del self.votes[vote]

    def _conflict_of_members(self, index: int, old: Membership, new: Membership) -> None:
        if not self.membership_conflict:
            self.membership_conflict = f"with entry {index}, {old.by} counts votes of {halves_in_words(old)} and {new.by} of {halves_in_words(new)}"

    def _restored(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Restored)
        if event.cluster != self._cluster:
            self._cluster = event.cluster
            self._forget()
