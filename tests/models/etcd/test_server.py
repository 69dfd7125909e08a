"""A member's doors in a world: slow clients, streams that need a leader, limits, maintenance."""

from __future__ import annotations

from attrs import define, field

from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import (
    NO_LEADER,
    NOT_LEADER,
    REQUEST_TOO_LARGE,
    TOO_MANY_REQUESTS,
    Alarm,
    AlarmResponse,
    Answer,
    Call,
    Defragment,
    DefragmentResponse,
    Event,
    HashKV,
    HashKVResponse,
    MemberList,
    MemberListResponse,
    MoveLeader,
    MoveLeaderResponse,
    Put,
    PutResponse,
    Range,
    SaveSnapshot,
    SaveSnapshotResponse,
    Status,
    StatusResponse,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchProgress,
    WatchProgressNotice,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.watch import WatchLimits
from chaoskube.sim import MILLISECOND, SECOND, Connection, Process, World
from tests.models.etcd.cluster import Cluster


@define(eq=False)
class Raw:
    """A connection to one member, by hand, from a process of its own."""

    got: list[object] = field(factory=list)
    ends: list[str] = field(factory=list)
    connection: Connection | None = None

    def send(self, message: object) -> None:
        assert self.connection is not None
        self.connection.send(message)

    def events(self, watch_id: int = 0) -> list[Event]:
        mine = [one for one in self.got if isinstance(one, WatchEvents) and one.watch_id == watch_id]
        return [event for one in mine for event in one.events]


def dial(cluster: Cluster, at: int, name: str = "raw") -> tuple[Raw, Process]:
    raw = Raw()

    def boot(process: Process) -> None:
        raw.connection = process.connect(
            cluster.endpoints[at], on_message=raw.got.append, on_close=raw.ends.append
        )

    process = cluster.world.process(name, host=name, boot=boot)
    process.start()
    return raw, process


def test_one_connection_carries_several_watches() -> None:
    """Told apart by their ids; one can be cancelled, progress is for all of them."""
    with World(seed=31) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        raw, _ = dial(cluster, 1)
        raw.send(WatchCreate(key="/a"))
        raw.send(WatchCreate(key="/", range_end="0", watch_id=9))
        world.advance(SECOND)
        cluster.put("/a", 1)
        world.advance(SECOND)
        raw.send(WatchCancel(9))
        raw.send(WatchProgress())
        world.advance(SECOND)
        cluster.put("/a", 2)
        world.advance(SECOND)

        assert [len(raw.events(0)), len(raw.events(9))] == [2, 1]
        assert WatchCanceled(reason="", watch_id=9, revision=2) in raw.got
        assert WatchProgressNotice(2, watch_id=-1) in raw.got
        assert raw.got[:2] == [WatchCreated(revision=1), WatchCreated(revision=1, watch_id=9)]


def test_how_much_waits_for_a_slow_client_is_an_option() -> None:
    """With room for 3 under way and 2 in the buffer a sleeper finds five single answers, the rest comes as one."""
    with World(seed=34) as world:
        limits = WatchLimits(window=3, buffer=2)
        cluster = Cluster(world, size=1, options=ReplicaOptions(watch_limits=limits))
        cluster.wait_for_leader()
        slow, process = dial(cluster, 0, "slow")
        slow.send(WatchCreate(key="/a"))
        world.advance(SECOND)
        process.pause()
        for number in range(20):
            cluster.clients[0].request(Put(key="/a", value=number), lambda _: None)
        world.advance(2 * SECOND)

        process.resume()
        world.advance(2 * SECOND)

        assert [event.kv.value for event in slow.events()] == list(range(20))
        sent = [len(one.events) for one in slow.got if isinstance(one, WatchEvents)]
        assert sent == [1, 1, 1, 1, 1, 1, 14], (
            "five that had room, the one that had not, and the history since"
        )


def test_a_paused_client_gets_everything_once_when_it_wakes() -> None:
    """Its connection fills up, then its buffer; its watch becomes a victim and falls behind; nobody else does."""
    with World(seed=32) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        slow, process = dial(cluster, 0, "slow")
        quick, _ = dial(cluster, 0, "quick")
        for raw in (slow, quick):
            raw.send(WatchCreate(key="/a"))
        world.advance(SECOND)
        process.pause()
        outcomes: list[Outcome] = []
        for number in range(300):
            cluster.clients[0].request(Put(key="/a", value=number), outcomes.append)
        world.advance(2 * SECOND)
        assert (len(outcomes), len(quick.events()), len(slow.events())) == (300, 300, 0)

        process.resume()
        world.advance(2 * SECOND)

        assert [event.kv.value for event in slow.events()] == list(range(300))
        sent = [one for one in slow.got if isinstance(one, WatchEvents)]
        assert len(sent) < 300, "what came after the buffer was full is caught up with in one batch"


def test_a_cut_off_client_gets_everything_once_when_the_network_heals() -> None:
    """TCP holds what was sent, the member holds the rest."""
    with World(seed=33) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        raw, _ = dial(cluster, 0, "far")
        raw.send(WatchCreate(key="/a"))
        world.advance(SECOND)
        cut = world.network.partition(["far"], ["control-0", "client"])
        for number in range(250):
            cluster.clients[0].request(Put(key="/a", value=number), lambda outcome: None)
        world.advance(3 * SECOND)
        cut.heal()
        world.advance(5 * SECOND)

        assert [event.kv.value for event in raw.events()] == list(range(250))


def test_a_stream_that_needs_a_leader_ends_whole() -> None:
    """All its watches: the stream is refused, not one of them (interceptor.go)."""
    with World(seed=34) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        at = next(place for place, one in enumerate(cluster.members) if one is not leader)
        raw, _ = dial(cluster, at)
        raw.send(WatchCreate(key="/a"))
        raw.send(WatchCreate(key="/b", require_leader=True))
        hosts = [one.host for one in cluster.members]
        world.network.partition([hosts[at]], [host for host in hosts if host != hosts[at]])
        world.advance(6 * SECOND)
        raw.send(WatchCreate(key="/c", require_leader=True))
        world.advance(SECOND)

        refused = WatchCanceled(reason=NO_LEADER.message, watch_id=-1)
        assert [one for one in raw.got if isinstance(one, WatchCanceled)] == [refused, refused]


def test_periodic_progress_comes_at_the_members_interval() -> None:
    """The recording etcd-watch-progress: every second and up to a tenth, not while there are events."""
    with World(seed=35) as world:
        cluster = Cluster(world, size=1, options=ReplicaOptions(progress_notify_ns=SECOND))
        cluster.wait_for_leader()
        raw, _ = dial(cluster, 0)
        raw.send(WatchCreate(key="/a", progress_notify=True))
        raw.send(WatchCreate(key="/b"))
        world.advance(2_500 * MILLISECOND)

        notices = [one for one in raw.got if isinstance(one, WatchProgressNotice)]
        assert notices == [WatchProgressNotice(1, watch_id=0)] * 2


def test_answers_carry_the_header() -> None:
    """Member and term, besides the revision."""
    with World(seed=36) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        raw, _ = dial(cluster, 2)
        raw.send(Call(5, Range(key="/a", serializable=True)))
        world.advance(SECOND)

        answer = raw.got[0]
        assert isinstance(answer, Answer)
        assert (answer.id, answer.member) == (5, 3) and answer.term >= 2


def test_requests_that_are_too_large_are_refused() -> None:
    """The recording etcd-limits: 1.5 MiB for the log, 2 MiB for gRPC."""
    with World(seed=37) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()

        assert isinstance(cluster.put("big", "x" * 1_572_000), PutResponse)
        assert cluster.put("big", "x" * 1_600_000) == REQUEST_TOO_LARGE
        refused = str(cluster.put("big", "x" * 3_000_000))
        assert refused.startswith("grpc: received message larger than max (3000")
        assert refused.endswith(" vs. 2097152)")


def test_writes_are_refused_while_too_many_wait_to_be_applied() -> None:
    """5000 entries between committed and applied; here because the member defragments meanwhile."""
    with World(seed=38) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        cluster.put("big", "x" * 1_500_000)
        outcomes: list[Outcome] = []
        client = cluster.clients[0]
        client.request(Defragment(), outcomes.append)
        for number in range(5_010):
            client.request(Put(key="/a", value=number), lambda outcome: None)
        world.advance(15 * MILLISECOND)
        client.request(Put(key="/a", value="one more"), outcomes.append)
        world.advance(5 * SECOND)

        assert outcomes[0] == TOO_MANY_REQUESTS
        assert isinstance(outcomes[1], DefragmentResponse)
        assert isinstance(cluster.put("/a", "later"), PutResponse)


def test_maintenance_is_asked_of_one_member() -> None:
    """Status, hash, snapshot, defragmentation, leadership, alarms, members."""
    with World(seed=39) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        cluster.put("/a", 1)
        world.advance(SECOND)
        at = cluster.members.index(leader)
        other = (at + 1) % 3

        status = cluster.ask(Status(), at)
        assert isinstance(status, StatusResponse)
        assert (status.member, status.leader, status.revision) == (at + 1, at + 1, 2)
        hashes = [cluster.ask(HashKV(), place) for place in range(3)]
        assert len({one.hash for one in hashes if isinstance(one, HashKVResponse)}) == 1
        assert isinstance(cluster.ask(SaveSnapshot(), at), SaveSnapshotResponse)
        assert isinstance(cluster.ask(Defragment(), other), DefragmentResponse)
        assert isinstance(cluster.ask(Alarm(), other), AlarmResponse)
        members = cluster.ask(MemberList(), other)
        assert isinstance(members, MemberListResponse) and len(members.members) == 3
        assert cluster.ask(MoveLeader(other + 1), other) == NOT_LEADER
        assert isinstance(cluster.ask(MoveLeader(other + 1), at), MoveLeaderResponse)
        assert cluster.leader() is cluster.members[other]
