"""A client's own: chosen endpoints, shared watch streams, the history that it keeps."""

from __future__ import annotations

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.events import (
    CallAnswered,
    CallMade,
    KeepAliveAnswered,
    WatchDelivered,
    WatchOpened,
)
from chaoskube.models.etcd.messages import (
    FUTURE_REVISION,
    LeaseGrant,
    LeaseKeepAlive,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Status,
    StatusResponse,
    WatchCreate,
    WatchFilter,
)
from chaoskube.models.etcd.sizes import MAX_MESSAGE_BYTES
from chaoskube.sim import SECOND, Process, Unsure, World
from tests.models.etcd.cluster import Cluster


def client_of(cluster: Cluster, *, share_watches: bool = False, history: bool = False) -> EtcdClient:
    made: list[EtcdClient] = []

    def boot(process: Process) -> None:
        made.append(EtcdClient(process, cluster.endpoints, share_watches=share_watches, history=history))

    cluster.world.process("own", host="own", boot=boot).start()
    return made[0]


def journalled(cluster: Cluster, kind: type) -> list[object]:
    return [entry.event for entry in cluster.world.journal.entries if type(entry.event) is kind]


def test_a_call_can_go_to_a_chosen_member() -> None:
    """The endpoint in use stays; a chosen one that dies is dialled again at the next call."""
    with World(seed=51) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        client = client_of(cluster)
        outcomes: list[Outcome] = []

        def ask(at: int) -> Outcome:
            client.request(Status(), outcomes.append, endpoint=cluster.endpoints[at])
            world.advance(SECOND)
            return outcomes[-1]

        seen = [ask(at) for at in (2, 0, 1)]
        assert [one.member for one in seen if isinstance(one, StatusResponse)] == [3, 1, 2]
        assert client.endpoint == cluster.endpoints[0]
        cluster.members[2].crash()
        assert isinstance(ask(2), Unsure)
        cluster.members[2].start()
        world.advance(2 * SECOND)
        assert isinstance(ask(2), StatusResponse)
        assert client.endpoint == cluster.endpoints[0]


def test_watches_can_share_a_connection() -> None:
    """Each hears its own; a refused one harms nobody; the last to leave closes it; a crash ends all."""
    with World(seed=52) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        client = client_of(cluster, share_watches=True)
        heard: dict[str, list[object]] = {key: [] for key in ("/a", "/b", "bad", "all")}
        ends: dict[str, list[str]] = {key: [] for key in heard}
        ranges = {"/a": "", "/b": "", "bad": "a", "all": "\0"}
        handles = {
            key: client.watch(
                WatchCreate(key=key if key != "all" else "/", range_end=ranges[key]),
                on_events=lambda events, revision, key=key: heard[key].extend(events),  # type: ignore[misc]
                on_end=ends[key].append,
            )
            for key in heard
        }
        world.advance(SECOND)
        cluster.put("/a", 1)
        cluster.put("/b", 1)
        world.advance(SECOND)
        handles["/b"].cancel()
        cluster.put("/b", 2)
        world.advance(SECOND)

        assert {key: len(events) for key, events in heard.items()} == {"/a": 1, "/b": 1, "bad": 0, "all": 3}
        assert ends["bad"] == ["canceled: mvcc: watcher range is empty"]
        opened = journalled(cluster, WatchOpened)
        names = [one.watch for one in opened if isinstance(one, WatchOpened)]
        assert len({name.split("#")[0] for name in names}) == 1 and len(set(names)) == 3
        cluster.members[0].crash()
        world.advance(SECOND)
        assert [len(ends[key]) for key in ("/a", "/b", "bad", "all")] == [1, 0, 1, 1]


def test_fragments_are_put_together_before_anybody_hears_of_them() -> None:
    """The journal has one delivery, as if it had come whole."""
    with World(seed=53) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        for key in "abc":
            cluster.put(key, "x" * (MAX_MESSAGE_BYTES // 2))
        client = client_of(cluster)
        heard: list[int] = []
        create = WatchCreate(
            key="a",
            range_end="z",
            start_revision=2,
            fragment=True,
            prev_kv=True,
            filters=(WatchFilter.NODELETE,),
        )
        client.watch(create, on_events=lambda events, revision: heard.append(len(events)), on_end=print)
        world.advance(2 * SECOND)

        assert heard == [3]
        assert len(journalled(cluster, WatchDelivered)) == 1
        opened = journalled(cluster, WatchOpened)[0]
        assert isinstance(opened, WatchOpened)
        assert (opened.start_revision, opened.filters, opened.prev_kv) == (2, ("NODELETE",), True)


def test_a_client_keeps_its_history_if_it_is_asked_to() -> None:
    """Responses, refusals and what nobody knows; without being asked: nothing."""
    with World(seed=54) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        cluster.put("/x", 0)
        client = client_of(cluster, history=True)
        for request in (Put(key="/a", value=1), Range(key="/a", revision=99)):
            client.request(request, lambda outcome: None)
            world.advance(SECOND)
        client.request(Put(key="/a", value=2), lambda outcome: None)
        cluster.members[0].crash()
        world.advance(SECOND)

        made, answered = journalled(cluster, CallMade), journalled(cluster, CallAnswered)
        assert [one.number for one in made if isinstance(one, CallMade)] == [1, 2, 3]
        assert answered[0] == CallAnswered(number=1, response=PutResponse(revision=3))
        assert answered[1] == CallAnswered(number=2, error=FUTURE_REVISION.message)
        last = answered[2]
        assert isinstance(last, CallAnswered) and last.number == 3 and "reset" in last.unsure


def test_answers_to_keep_alives_are_always_in_the_journal() -> None:
    """With the time of the question: the lease lives that long from then on at least."""
    with World(seed=55) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        cluster.ask(LeaseGrant(ttl=5, id=9))
        before = world.now
        cluster.ask(LeaseKeepAlive(9))

        assert journalled(cluster, KeepAliveAnswered) == [KeepAliveAnswered(id=9, ttl=5, asked_at=before)]


def test_a_read_goes_round_the_members_until_one_answers() -> None:
    """A dead or leaderless member costs a read another try, never an error; a write is sent once."""
    with World(seed=53) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        client = client_of(cluster, history=True)
        cluster.members[0].crash()
        world.run_until(lambda: len(cluster.view.raft.leading) == 1, 10 * SECOND)
        world.advance(2 * SECOND)
        outcomes: list[Outcome] = []
        client.request(Range(key="/a"), outcomes.append)
        world.advance(SECOND)

        assert isinstance(outcomes[0], RangeResponse)
        assert len(journalled(cluster, CallMade)) == len(journalled(cluster, CallAnswered)) == 1
        cluster.members[1].crash()
        client.request(Put(key="/a", value=1), outcomes.append)
        world.advance(SECOND)
        assert isinstance(outcomes[1], Unsure)


def test_a_read_ends_with_its_time() -> None:
    """Nobody answers: the last word of the members is told when the caller's time is up, not later."""
    with World(seed=54) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        client = client_of(cluster)
        for member in cluster.members[1:]:
            member.crash()
        outcomes: list[Outcome] = []
        client.request(Range(key="/a"), outcomes.append, 3 * SECOND)
        world.advance(3 * SECOND)

        assert len(outcomes) == 1 and not isinstance(outcomes[0], RangeResponse)
