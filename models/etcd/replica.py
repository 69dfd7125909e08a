"""One etcd member without its doors: the Raft core and the store on a process, with its disk and its peers.

The order of effects is etcd's (server/etcdserver/raft.go start): what a Ready wants saved is written and
synced, then its messages leave, then its committed entries are applied and their clients answered. A leader
alone sends its appends while its own disk still writes. One Ready is carried out at a time; what is stepped in the
meantime goes into the next.

Made anew at each start of the process (`member.boot_member`); all but the disk is gone then.
Not modelled: the back-pressure of a store that lags, initial election tick advance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attrs import frozen

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT, ETCD_TICK
from chaoskube.models.etcd import wal
from chaoskube.models.etcd.events import Acknowledged, Applied, Compacted
from chaoskube.models.etcd.messages import TIMED_OUT, Compact, EtcdError, Request
from chaoskube.models.etcd.proposals import Answerer, Proposal, Proposals, Writer
from chaoskube.models.etcd.read_index import GoOn, Reader, ReadIndex
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.events import BecameLeader, Committed, SteppedDown, Voted
from chaoskube.models.raft.messages import NONE, Entry, HardState, Message, MessageType
from chaoskube.models.raft.ready import Config, Ready, Role
from chaoskube.sim import SECOND, Process


@frozen(kw_only=True)
class ReplicaOptions:
    """How the members of a cluster are configured; etcd's own defaults."""

    pre_vote: bool = True
    progress_notify_ns: int = 600 * SECOND


class Replica:
    """One life of a member; `on_tick`, `on_peer` and `on_leading` are where its other parts hook in."""

    def __init__(self, process: Process, members: tuple[str, ...], options: ReplicaOptions) -> None:
        self.process = process
        self.options = options
        self.names = dict(enumerate(members, start=1))
        self.id = members.index(process.name) + 1
        self.state = State()
        self.hub = WatchHub(self.state.store)
        self.on_tick: list[Callable[[int], None]] = []
        self.on_peer: dict[type, Callable[[str, object], None]] = {}
        self.on_leading: list[Callable[[bool], None]] = []
        found = wal.read(process.disk)
        self._wal = found.log
        self.raft = Raft(
            Config(id=self.id, voters=tuple(self.names), pre_vote=options.pre_vote),
            process.rng.randrange,
            hard_state=found.hard_state,
            entries=found.entries,
        )
        self._role = self.raft.role
        self._led_term = 0
        self._unsaved: HardState | None = None
        self._saved_vote = (found.hard_state.term, found.hard_state.vote)
        self._ticks = 0
        self._number = process.life << 24
        self._proposals = Proposals(self._propose_to_raft)
        self._reads = ReadIndex(self._ask_read_index, self.new_id, lambda: process.now)

    def start(self) -> None:
        """Listen to peers, begin to tick, apply what the disk says is committed."""
        process = self.process
        process.on_datagram = self._on_datagram
        process.call_later(process.rng.randrange(ETCD_TICK) + 1, self._tick)
        self._carry_out()

    @property
    def leader(self) -> str | None:
        """Who leads, as far as this member knows."""
        return self.names.get(self.raft.lead)

    @property
    def is_leader(self) -> bool:
        """This member believes that it leads."""
        return self.raft.role is Role.LEADER

    # -- requests

    def write(self, request: Request, answer: Answerer) -> None:
        """Propose `request`; `answer` is called when it is applied here, or after 7 s."""
        number = self.new_id()
        self._proposals.wait(number, Writer(since=self.process.now, answer=answer))
        if self._proposals.propose(Proposal(number, request)):
            self._carry_out()

    def propose_only(self, request: Request) -> None:
        """Propose `request`; nobody waits for it."""
        if self._proposals.propose(Proposal(self.new_id(), request)):
            self._carry_out()

    def when_current(self, go_on: GoOn) -> None:
        """Call `go_on(None)` once this member has applied all that was committed when this was asked.

        After 7 s it is called with the error instead.
        """
        self._reads.add(Reader(since=self.process.now, go_on=go_on))

    def new_id(self) -> int:
        """A number that no member has given before (pkg/idutil)."""
        self._number += 1
        return self._number << 4 | self.id

    def _propose_to_raft(self, data: object) -> bool:
        return self.raft.lead != NONE and self.raft.propose(data)

    def _ask_read_index(self, number: int) -> None:
        self.raft.read_index(number)
        self._carry_out()

    # -- time

    def _tick(self) -> None:
        self.process.call_later(ETCD_TICK, self._tick)
        self._ticks += 1
        self.raft.tick()
        self._after_step()
        if not self._proposals.is_idle:
            for late in self._proposals.expire(self.process.now - ETCD_REQUEST_TIMEOUT):
                late.answer(TIMED_OUT)
        if not self._reads.is_idle:
            self._reads.expire()
        if self.hub.has_unsynced:
            self.hub.catch_up()
        for listener in self.on_tick:
            listener(self._ticks)

    # -- Raft

    def _on_datagram(self, sender: str, message: object) -> None:
        if type(message) is not Message:
            self.on_peer[type(message)](sender, message)
            return
        if message.type is MessageType.MSG_PROP and self._proposals.is_repeated(message):
            return
        self.raft.step(message)
        self._after_step()

    def _after_step(self) -> None:
        raft = self.raft
        if raft.role is not self._role:
            self._role_changed()
        messages = raft.only_messages()
        if messages:
            self._send(messages)
        elif raft.has_ready():
            self._carry_out()
        if self._proposals.has_unproposed and raft.lead != NONE and self._proposals.propose_late():
            self._carry_out()

    def _carry_out(self) -> None:
        """Carry out what the core wants done, in the order that makes a crash harmless."""
        raft, process = self.raft, self.process
        while raft.has_ready():
            ready = raft.ready()
            if ready.hard_state is not None:
                self._unsaved = ready.hard_state
            if ready.must_sync:
                # A commit index alone isn't worth a write: it goes with the next record.
                wal.save(self._wal, self._unsaved, ready.entries)
                self._unsaved = None
            is_sent = raft.role is Role.LEADER
            if is_sent:
                self._send(ready.messages)
            if ready.must_sync:
                process.disk.sync(partial(self._synced, ready, is_sent))
                return
            self._finish(ready, is_sent)

    def _synced(self, ready: Ready, is_sent: bool) -> None:
        self._finish(ready, is_sent)
        self._after_step()

    def _finish(self, ready: Ready, is_sent: bool) -> None:
        """What `ready` wanted on disk is there: speak, apply, answer."""
        if ready.hard_state is not None:
            self._note_vote(ready)
        if not is_sent:
            self._send(ready.messages)
        if ready.messages_after_append:
            self._send(ready.messages_after_append)
        if ready.committed_entries:
            self._apply(ready.committed_entries)
        self.raft.advance(ready)
        if self.raft.role is not self._role:
            self._role_changed()
        for state in ready.read_states:
            self._reads.confirmed(state.index, state.context, self.raft.log.applied)
        if self._reads.has_confirmed:
            self._reads.applied(self.raft.log.applied)

    def _send(self, messages: Sequence[Message]) -> None:
        send, names = self.process.send, self.names
        for message in messages:
            if message.to != self.id:
                send(names[message.to], message)

    def _note_vote(self, ready: Ready) -> None:
        assert ready.hard_state is not None
        vote = (ready.hard_state.term, ready.hard_state.vote)
        if vote != self._saved_vote:
            self._saved_vote = vote
            if vote[1] != NONE:
                self.process.record(Voted(term=vote[0], candidate=self.names[vote[1]]))

    def _role_changed(self) -> None:
        raft = self.raft
        was, self._role = self._role, raft.role
        if raft.role is Role.LEADER:
            self._led_term = raft.term
            self.process.record(BecameLeader(term=raft.term, first_index=raft.log.last_index))
        elif was is Role.LEADER:
            self.process.record(SteppedDown(led_term=self._led_term, term=raft.term))
        else:
            return
        for listener in self.on_leading:
            listener(raft.role is Role.LEADER)

    # -- applying

    def _apply(self, entries: tuple[Entry, ...]) -> None:
        self.process.record(
            Committed(
                first=entries[0].index,
                terms=tuple([entry.term for entry in entries]),
                contents=tuple([_content(entry) for entry in entries]),
            )
        )
        for entry in entries:
            if entry.data is not None:
                assert isinstance(entry.data, Proposal)
                self._apply_one(entry, entry.data)

    def _apply_one(self, entry: Entry, proposal: Proposal) -> None:
        applied = self.state.apply(proposal.request, self.process.now)
        revision = self.state.store.revision
        if applied.events:
            self.process.record(
                Applied(
                    index=entry.index,
                    term=entry.term,
                    revision=revision,
                    request_id=proposal.id,
                    events=applied.events,
                )
            )
            self.hub.notify(applied.events, revision)
        elif isinstance(proposal.request, Compact) and not isinstance(applied.response, EtcdError):
            self.process.record(Compacted(revision=proposal.request.revision))
        waiting = self._proposals.take(proposal.id)
        if waiting is None:
            return
        if not isinstance(applied.response, EtcdError):
            self.process.record(
                Acknowledged(index=entry.index, term=entry.term, revision=revision, request_id=proposal.id)
            )
        waiting.answer(applied.response)


def _content(entry: Entry) -> int:
    return entry.data.id if isinstance(entry.data, Proposal) else 0
