"""What a member does with committed entries: apply each once, in order, and answer whoever waits for it here.

Entries up to the index that the loaded database covers were applied in an earlier life, and are skipped
(server/etcdserver/server.go apply, shouldApplyV3). What an entry does depends on the database and the entry alone, never
on who asked or on what this member knows besides. While the database is being defragmented nothing is applied; entries
queue up.

Made by `replica.py`. Not modelled: applying beside the write of the log; skipping reads that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import attrs

from chaoskube.models.etcd.alarm import has_space
from chaoskube.models.etcd.events import (
    Acknowledged,
    AlarmCleared,
    AlarmRaised,
    Applied,
    Compacted,
    LeaseEnded,
    LeaseGranted,
)
from chaoskube.models.etcd.membership import MemberStarted
from chaoskube.models.etcd.messages import (
    NO_SPACE,
    Alarm,
    AlarmAction,
    AlarmResponse,
    Compact,
    EtcdError,
    LeaseGrant,
    LeaseRevoke,
    Response,
)
from chaoskube.models.etcd.proposals import Proposal
from chaoskube.models.etcd.state import Applied as Outcome
from chaoskube.models.raft.events import ConfigApplied
from chaoskube.models.raft.messages import ConfChange, ConfChangeType, Entry, EntryType
from chaoskube.sim import MILLISECOND, reached

if TYPE_CHECKING:
    from chaoskube.models.etcd.replica import Replica

COMPACTION_SLEEP_NS = 10 * MILLISECOND
"""Between two batches of a compaction (server/storage/mvcc/kvstore.go defaultCompactionSleepInterval)."""


class Applier:
    """The state machine of one life of a member."""

    def __init__(self, member: Replica, *, index: int, term: int, covered: int) -> None:
        self._member = member
        self._process = member.process
        self.index = index
        """The last entry applied, in this life or before."""
        self.term = term
        self.covered = covered
        """The database was loaded, or installed, with everything up to here."""
        self.is_blocked = False
        """The database is being written anew."""
        self._queue: list[tuple[Entry, ...]] = []
        self._when_unblocked: list[Callable[[], object]] = []
        self._told: tuple[tuple[str, ...], ...] = ((), (), ())
        self._is_compacting = False
        self._compacted: list[Callable[[], object]] = []

    # -- blocking

    def run(self, fn: Callable[[], object]) -> None:
        """Call `fn` now, or when the database can be read again."""
        if self.is_blocked:
            self._when_unblocked.append(fn)
        else:
            fn()

    def block(self) -> None:
        """Apply nothing until `unblock`."""
        self.is_blocked = True

    def unblock(self) -> None:
        """Go on with what has come meanwhile, in order; what comes because of it goes to the end."""
        while self._queue:
            self._apply(self._queue.pop(0))
        self.is_blocked = False
        while self._when_unblocked and not self.is_blocked:
            self._when_unblocked.pop(0)()

    def must_wait(self, entries: tuple[Entry, ...]) -> bool:
        """May Raft not go on before these are applied? So it is for changes of its configuration."""
        return self.is_blocked and any(entry.type is not EntryType.ENTRY_NORMAL for entry in entries)

    # -- entries

    def apply(self, entries: tuple[Entry, ...]) -> None:
        """Apply them, or keep them for later."""
        if self.is_blocked:
            self._queue.append(entries)
        else:
            self._apply(entries)

    def _apply(self, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            if entry.index > self.covered:
                self._apply_entry(entry)
            self.index, self.term = entry.index, entry.term
        self._member.database.written()
        if self._member.state.store.is_compacting:
            self.go_on_compacting()

    def _apply_entry(self, entry: Entry) -> None:
        data = entry.data
        if type(data) is Proposal:
            self._apply_request(entry, data)
        elif data is None:
            self._member.first_of_term(entry)
        else:
            assert isinstance(data, ConfChange), f"an entry holds {data!r}"
            self._apply_change(entry, data)

    def _apply_request(self, entry: Entry, proposal: Proposal) -> None:
        member = self._member
        request = proposal.request
        outcome = self.outcome(proposal)
        # Before anybody hears of it: a commit that follows from the answer covers this entry.
        self.index, self.term = entry.index, entry.term
        revision = member.state.store.revision
        # Over the quota a member says no to what it has carried out like everybody.
        is_refused = isinstance(outcome.response, EtcdError) and outcome.response.is_definite
        failed = is_refused and not outcome.events
        self._process.record(
            Applied(
                index=entry.index,
                term=entry.term,
                revision=revision,
                request_id=proposal.id,
                events=outcome.events,
                failed=failed,
            )
        )
        if not failed:
            self._tell_journal(proposal)
        if outcome.events:
            member.hub.notify(outcome.events, revision)
        waiting = member.proposals.take(proposal.id)
        if waiting is None:
            return
        if not isinstance(outcome.response, EtcdError):
            self._process.record(
                Acknowledged(index=entry.index, term=entry.term, revision=revision, request_id=proposal.id)
            )
        if isinstance(request, Compact) and request.physical and not failed:
            self._compacted.append(partial(waiting.answer, outcome.response))
        else:
            waiting.answer(outcome.response)

    def outcome(self, proposal: Proposal) -> Outcome:
        """What a request does and answers: a function of the database and the request."""
        member, request = self._member, proposal.request
        if isinstance(request, Alarm):
            return Outcome(self._apply_alarm(request))
        if isinstance(request, MemberStarted):
            member.membership.started(request.id)
            return Outcome(AlarmResponse(revision=member.state.store.revision))
        refusal = member.alarms.refusal(request)
        if refusal is not None:
            return Outcome(refusal)
        fits = has_space(member.backend, request, member.options.quota_bytes)
        outcome = member.state.apply(request, self._process.now)
        return outcome if fits or isinstance(outcome.response, EtcdError) else self._too_large(outcome)

    def _too_large(self, outcome: Outcome) -> Outcome:
        """It was applied, like everywhere; yet this member says no, and raises the alarm (apply/quota.go)."""
        reached("etcd: an applied write went over the quota")
        self._member.raise_no_space(None)
        return Outcome(attrs.evolve(NO_SPACE, is_definite=False), outcome.events)

    def _apply_alarm(self, request: Alarm) -> Response:
        member = self._member
        alarms = member.alarms.apply(request)
        kind = {AlarmAction.ACTIVATE: AlarmRaised, AlarmAction.DEACTIVATE: AlarmCleared}.get(request.action)
        if kind is not None:
            for one in alarms:
                name = member.membership.names.get(one.member, str(one.member))
                self._process.record(kind(member=name, kind=one.kind.value))
        return AlarmResponse(revision=member.state.store.revision, alarms=alarms)

    def _tell_journal(self, proposal: Proposal) -> None:
        request = proposal.request
        if isinstance(request, LeaseGrant):
            ttl = self._member.state.lessor.leases[request.id].ttl
            self._process.record(LeaseGranted(id=request.id, ttl=ttl))
        elif isinstance(request, LeaseRevoke):
            reason = "expired" if proposal.is_own else "revoked"
            self._process.record(LeaseEnded(id=request.id, reason=reason))
        elif isinstance(request, Compact):
            self._process.record(Compacted(revision=request.revision))

    # -- changes of members

    def _apply_change(self, entry: Entry, change: ConfChange) -> None:
        member = self._member
        error = member.membership.validate(change)
        if error is not None:
            member.raft.apply_conf_change(ConfChange(type=ConfChangeType.ADD_NODE, node_id=0))
        else:
            member.raft.apply_conf_change(change)
            member.membership.apply(change)
            self.index, self.term = entry.index, entry.term
            self.tell_configuration(entry.index)
            member.reconfiguration.publish()
        if change.type is ConfChangeType.REMOVE_NODE and error is None and change.node_id == member.id:
            member.end_removed()
        waiting = member.proposals.take(change.id)
        if waiting is not None:
            waiting.answer(error if error is not None else member.reconfiguration.answer_for(change))

    def tell_configuration(self, index: int) -> None:
        """Write to the journal of whom the cluster is made, as Raft has it from now on, unless that is known."""
        names_of, config = self._member.membership.names_of, self._member.raft.tracker.config
        told = (
            names_of(config.voters.incoming),
            names_of(config.voters.outgoing),
            names_of(config.learners),
        )
        if told != self._told:
            self._told = told
            voters, outgoing, learners = told
            self._process.record(
                ConfigApplied(index=index, voters=voters, voters_outgoing=outgoing, learners=learners)
            )

    # -- compaction

    def go_on_compacting(self) -> None:
        """Take the next records out soon, if a compaction has begun, in this life or before a crash."""
        if self._member.state.store.is_compacting and not self._is_compacting:
            self._is_compacting = True
            self._process.call_later(COMPACTION_SLEEP_NS, self._compact)

    def _compact(self) -> None:
        self.run(self._compact_now)

    def _compact_now(self) -> None:
        store = self._member.state.store
        is_more = store.compact_batch()
        self._member.database.written()
        if is_more:
            self._process.call_later(COMPACTION_SLEEP_NS, self._compact)
            return
        self._is_compacting = False
        waiting, self._compacted = self._compacted, []
        for answer in waiting:
            answer()

    # -- another database

    def installed(self, index: int, term: int, covered: int) -> None:
        """A snapshot took the place of everything up to `index`; its database may have been ahead of its sender.

        So it is when the sender had just booted and did not yet know again what is committed.
        """
        self.index, self.term, self.covered = index, term, max(index, covered)
