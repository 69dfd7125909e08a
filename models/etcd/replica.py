"""One etcd member without its doors: all its parts, on a process with its disk and its peers.

| part | what it does |
| --- | --- |
| `node` | carries out what the Raft core owes, in the order that makes a crash harmless |
| `applier`, `state`, `hub` | committed entries, the store and leases that they change, who watches |
| `backend`, `database`, `snapshots` | the database, its file, and whole copies of it |
| `proposals`, `reads` | who waits for an entry, who for a read index |
| `membership`, `alarms` | what the database says of members and alarms |
| `reconfiguration`, `maintenance`, `peers` | changes of members, upkeep, how the others are reached |

Made anew at each start of the process (`member.boot_member`); all but the disk is gone then. `on_tick`, `on_peer` and
`on_leading` are where its doors and its lease keeper hook in: the last hears True when the first entry of a term that
this member leads is applied, so that everything before is applied as well.

Not modelled: initial election tick advance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaoskube.models.constants import ETCD_ELECTION_TICKS, ETCD_REQUEST_TIMEOUT, ETCD_TICK
from chaoskube.models.etcd.alarm import Alarms, has_space
from chaoskube.models.etcd.applying import Applier
from chaoskube.models.etcd.backend import CONSISTENT_INDEX, Backend, Database
from chaoskube.models.etcd.boot import Begun, ToldCluster, begin
from chaoskube.models.etcd.database_file import DatabaseFile
from chaoskube.models.etcd.events import MemberStopped, Recovered
from chaoskube.models.etcd.maintenance import Maintenance
from chaoskube.models.etcd.membership import Membership, MemberStarted, is_restored
from chaoskube.models.etcd.messages import (
    DEADLINE_EXCEEDED,
    NO_SPACE,
    TIMED_OUT,
    TIMED_OUT_CONNECTION_LOST,
    TIMED_OUT_LEADER_LOST,
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMember,
    AlarmResponse,
    EtcdError,
    HashKVResponse,
    MemberAdd,
    MemberList,
    MemberPromote,
    MemberRemove,
    Request,
    StatusResponse,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.peers import LINK_TICKS, LinkHeartbeat, Peers, Probe, Probed
from chaoskube.models.etcd.proposals import Answerer, Proposal, Proposals, Writer
from chaoskube.models.etcd.raft_node import RaftNode
from chaoskube.models.etcd.read_index import GoOn, Reader, ReadIndex
from chaoskube.models.etcd.reconfiguration import Reconfiguration
from chaoskube.models.etcd.snapshot import Snapshots
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.raft.messages import NONE, ConfChange, Entry, SnapshotMetadata
from chaoskube.models.raft.ready import Role
from chaoskube.sim import SECOND, Process

__all__ = ["Proposal", "Replica", "ReplicaOptions"]

REMOVED: Final = "the member has been permanently removed from the cluster"
REMOVED_DELAY_NS: Final = SECOND
"""server.go applyEntries: a removed member goes on for a moment, so that the others hear of it."""


class Replica:
    """One life of a member."""

    def __init__(
        self,
        process: Process,
        members: tuple[str, ...],
        options: ReplicaOptions,
        told: ToldCluster | None = None,
    ) -> None:
        self.process = process
        self.options = options
        self.on_tick: list[Callable[[int], None]] = []
        self.on_peer: dict[type, Callable[[str, object], None]] = {}
        self.on_leading: list[Callable[[bool], None]] = []
        begun = begin(process, members, options, told)
        self.id = begun.id
        self.cluster = begun.cluster
        self.raft = begun.raft
        self.wal = begun.log
        self._number = process.life << 24
        self._ticks = 0
        self._is_ending = False
        self._build_state(begun)
        self.proposals = Proposals(self._propose_to_raft)
        self.read_asked_at = 0
        """When the round of reads under way was asked about, in the world's time: for the journal."""
        self.reads = ReadIndex(self._ask_read_index, self.new_id, process.monotonic_ns)
        self.peers = Peers(process)
        self.node = RaftNode(
            self, begun.raft, begun.log, cluster=self.cluster if is_restored(self.cluster) else None
        )
        self.snapshots = Snapshots(self, begun.snapshot.index)
        self.reconfiguration = Reconfiguration(self)
        self.maintenance = Maintenance(self)
        self.on_peer[Probe] = self.peers.on_probe
        self.on_peer[Probed] = self.peers.on_probed
        self.on_peer[LinkHeartbeat] = self.peers.on_link

    def _build_state(self, begun: Begun) -> None:
        options = self.options
        self.backend = begun.backend
        self.state = self._new_state()
        self.hub = WatchHub(self.state.store, options.watch_limits)
        self.membership = Membership(self.backend)
        self.membership.names.update({one.id: one.name for one in begun.known})
        self.alarms = Alarms(self.backend)
        self.database = DatabaseFile(
            self.process, self.backend, claim=self.claim, commit_ns=options.backend_commit_ns
        )
        self.applier = Applier(
            self, index=begun.snapshot.index, term=begun.snapshot.term, covered=begun.covered
        )

    def _new_state(self) -> State:
        options = self.options
        return State(
            self.backend,
            compaction_batch=options.compaction_batch,
            lease_checkpoint_ns=options.lease_checkpoint_ns,
            lease_checkpoint_persist=options.lease_checkpoint_persist,
        )

    def start(self) -> None:
        """Listen to peers, begin to tick, apply what the disk says is committed."""
        process, raft = self.process, self.raft
        process.on_datagram = self.node.on_datagram
        process.call_later(process.rng.randrange(ETCD_TICK) + 1, self._tick)
        process.record(
            Recovered(
                term=raft.term,
                vote=self.membership.names.get(raft.vote, ""),
                commit=raft.log.committed,
                last_index=raft.log.last_index,
                last_term=raft.log.last_term,
                snapshot_index=self.snapshots.index,
                consistent_index=self.applier.covered,
                revision=self.state.store.revision,
            )
        )
        self.applier.tell_configuration(0)
        self.applier.go_on_compacting()
        if self.id in self.membership.removed:
            self.end_removed()
            return
        self.node.carry_out()
        self.reconfiguration.publish()

    # -- what it is

    @property
    def leader(self) -> str | None:
        """Who leads, as far as this member knows."""
        return self.membership.names.get(self.raft.lead)

    @property
    def is_leader(self) -> bool:
        """This member believes that it leads."""
        return self.raft.role is Role.LEADER

    @property
    def is_learner(self) -> bool:
        """This member has no vote (yet)."""
        return self.membership.is_learner(self.id)

    @property
    def readable_index(self) -> int:
        """Reads that need no more than this can be answered now."""
        return -1 if self.applier.is_blocked else self.applier.index

    def claim(self) -> tuple[int, int]:
        """The entry that a commit of the database made now covers, and its term (issue 13766)."""
        return self.applier.index, self.applier.term

    # -- requests

    def write(self, request: Request, answer: Answerer) -> None:
        """Propose `request`; `answer` is called when it is applied here, or after 7 s."""
        if not has_space(self.backend, request, self.options.quota_bytes):
            self.raise_no_space(lambda _response: answer(NO_SPACE))
            return
        self._propose(Proposal(self.new_id(), request), answer)

    def propose_only(self, request: Request) -> None:
        """Propose `request` on the member's own account; nobody waits for it."""
        self.propose_own(request, None)

    def change(self, change: ConfChange, answer: Answerer) -> None:
        """Propose a change of members; it is answered as a write is."""
        self._propose(change, answer)

    def when_current(self, go_on: GoOn) -> None:
        """Call `go_on(None)` once this member has applied all that was committed when this was asked.

        After 7 s it is called with the error instead.
        """
        self.reads.add(Reader(since=self.process.now, go_on=go_on))

    def new_id(self) -> int:
        """A number that no member has given before (pkg/idutil)."""
        self._number += 1
        return self._number << 8 | self.id & 255

    def raise_no_space(self, then: Answerer | None) -> None:
        """Turn NOSPACE on for this member, unless it is on."""
        one = AlarmMember(member=self.id, kind=AlarmKind.NOSPACE)
        if one in self.alarms.on(AlarmKind.NOSPACE):
            if then is not None:
                then(AlarmResponse(revision=self.state.store.revision))
            return
        self.propose_own(Alarm(action=AlarmAction.ACTIVATE, member=self.id, kind=AlarmKind.NOSPACE), then)

    def propose_own(self, request: Request | MemberStarted, answer: Answerer | None) -> None:
        """Propose what the member itself wants."""
        self._propose(Proposal(self.new_id(), request, True), answer)

    def _propose(self, proposal: Proposal | ConfChange, answer: Answerer | None) -> None:
        if answer is not None:
            self.proposals.wait(proposal.id, Writer(since=self.process.now, answer=answer))
        if self.proposals.propose(proposal):
            self.node.carry_out()

    def _propose_to_raft(self, data: Proposal | ConfChange) -> bool:
        if self.raft.lead == NONE:
            return False
        return (
            self.raft.propose_conf_change(data) if isinstance(data, ConfChange) else self.raft.propose(data)
        )

    def _ask_read_index(self, number: int) -> None:
        self.read_asked_at = self.process.world.now
        self.raft.read_index(number)
        self.node.carry_out()

    # -- upkeep and members

    def status(self) -> StatusResponse:
        """How this member is."""
        return self.maintenance.status()

    def hash_kv(self, revision: int) -> HashKVResponse | EtcdError:
        """The hash of its keys."""
        return self.maintenance.hash_kv(revision)

    def save_snapshot(self) -> Database:
        """Its whole database."""
        return self.maintenance.save_snapshot()

    def defragment(self, answer: Answerer) -> None:
        """Write its file anew."""
        self.maintenance.defragment(answer)

    def move_leader(self, target: int, answer: Answerer) -> None:
        """Hand leadership over."""
        self.maintenance.move_leader(target, answer)

    def alarm(self, request: Alarm, answer: Answerer) -> None:
        """Ask for alarms, turn them on or off."""
        self._propose(Proposal(self.new_id(), request), answer)

    def member_add(self, request: MemberAdd, answer: Answerer) -> None:
        """A member more."""
        self.reconfiguration.add(request, answer)

    def member_remove(self, request: MemberRemove, answer: Answerer) -> None:
        """A member less."""
        self.reconfiguration.remove(request, answer)

    def member_promote(self, request: MemberPromote, answer: Answerer) -> None:
        """A learner votes."""
        self.reconfiguration.promote(request, answer)

    def member_list(self, request: MemberList, answer: Answerer) -> None:
        """Who is in the cluster."""
        self.reconfiguration.list(request, answer)

    # -- time

    def _tick(self) -> None:
        self.process.call_later(ETCD_TICK, self._tick)
        self._ticks += 1
        self.raft.tick()
        self.node.after_step()
        if not self.proposals.is_idle:
            for late in self.proposals.expire(self.process.now - ETCD_REQUEST_TIMEOUT):
                writer = late.writer
                writer.answer(self.timeout(writer.since) if late.had_a_leader else DEADLINE_EXCEEDED)
        if not self.reads.is_idle:
            self.reads.expire()
        if self._ticks % LINK_TICKS == 0 and not self.is_leader:
            known = self.membership.members
            others = [one for one in known if one not in (self.id, self.raft.lead) and known[one].is_started]
            self.peers.keep_links(self.membership.names_of(others))
        if self.hub.has_unsynced:
            self.hub.catch_up()
        for listener in self.on_tick:
            listener(self._ticks)

    def timeout(self, since: int) -> EtcdError:
        """What somebody hears who has waited in vain since then (server.go parseProposeCtxErr)."""
        led_since = self.node.led_since
        if led_since - 2 * ETCD_ELECTION_TICKS * ETCD_TICK < since < led_since:
            return TIMED_OUT_LEADER_LOST
        lead = self.raft.lead
        if lead == NONE:
            return TIMED_OUT
        names = self.membership.names
        others = [lead] if lead != self.id else [one for one in self.membership.members if one != lead]
        reached = sum(self.peers.is_active_since(names.get(one, ""), since) for one in others)
        is_connected = reached + 1 > (len(others) + 1) // 2 if lead == self.id else reached == 1
        return TIMED_OUT if is_connected else TIMED_OUT_CONNECTION_LOST

    # -- what its parts tell it

    def first_of_term(self, entry: Entry) -> None:
        """The empty entry of a new leader is applied."""
        self.reads.leader_settled()
        if self.is_leader and entry.term == self.raft.term:
            for listener in self.on_leading:
                listener(True)

    def lead_ended(self) -> None:
        """This member leads no more."""
        for listener in self.on_leading:
            listener(False)

    def install(self, backend: Backend, metadata: SnapshotMetadata) -> None:
        """A leader's database takes the place of ours."""
        self.backend = self.database.backend = backend
        self.state = self._new_state()
        self.membership.reload(backend)
        self.alarms.reload(backend)
        self.hub.restore(self.state.store)
        self.applier.installed(metadata.index, metadata.term, backend.meta(CONSISTENT_INDEX))
        self.applier.tell_configuration(metadata.index)
        self.applier.go_on_compacting()
        self.reconfiguration.publish()

    def end_removed(self) -> None:
        """This member was taken out of the cluster: it ends for good."""
        if not self._is_ending:
            self._is_ending = True
            self.process.call_later(REMOVED_DELAY_NS, self._end)

    def _end(self) -> None:
        self.process.record(MemberStopped(REMOVED))
        self.database.commit()
        self.process.exit()
