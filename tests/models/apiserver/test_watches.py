"""How watches begin, what refuses them, and what becomes of clients that take nothing."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from chaoskube.models.apiserver.api import NOT_OLDER_THAN, Bookmark, ListOptions, Request, Status
from chaoskube.models.apiserver.cache_feed import RECONNECT_NS_MAX, is_lost, is_whole, resume_after_ns
from chaoskube.models.apiserver.events import ReadServed, SlowWatchClosed
from chaoskube.models.apiserver.watcher import CONNECTION_HOLDS, TimeBudget, buffer_of
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import ConfigMap, FrozenDict, ObjectMeta
from chaoskube.sim import MILLISECOND, SECOND


def config(name: str, value: str = "") -> ConfigMap:
    data = FrozenDict({"x": value}) if value else FrozenDict()
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data=data)


# ---- how they begin


def test_a_watch_list_waits_for_etcds_revision_and_says_where_it_ends(api: Any) -> None:
    """cacher.go: without a version it is as fresh as a consistent list, however late the cache."""
    api.create(config("a"))
    api.delay_etcd_watch(0, "configmaps", 2 * SECOND)
    made = api.create(config("b"), server=1)
    watch = api.watch(
        "configmaps",
        send_initial_events=True,
        resource_version_match=NOT_OLDER_THAN,
        allow_watch_bookmarks=True,
    )
    api.world.advance(4 * SECOND)

    told = [one for one in watch.seen() if one[1] != "kube-root-ca.crt"]
    assert told == [("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", "")]
    end = watch.events[-1].object
    assert isinstance(end, Bookmark) and end.initial_events_end
    assert int(end.resource_version) >= int(made.resource_version)


@pytest.mark.parametrize(("resource", "version"), [("configmaps", ""), ("configmaps", "0"), ("events", "")])
def test_a_watch_may_do_without_what_there_is(api: Any, resource: str, version: str) -> None:
    """watch_cache.go getAllEventsSinceLocked, etcd3/watcher.go getStartWatchResourceVersion: sendInitialEvents=false begins
    at the newest version, and a bookmark never says that the beginning ended."""
    path = f"/api/v1/namespaces/default/{resource}"
    involved = {"involvedObject": {"namespace": "default"}} if resource == "events" else {}
    api.http("POST", path, None, None, {"metadata": {"name": "a"}, **involved})
    watch = api.watch(
        resource,
        begin_now=True,
        resource_version=version,
        resource_version_match=NOT_OLDER_THAN,
        allow_watch_bookmarks=True,
    )
    api.world.advance(SECOND)
    api.http("POST", path, None, None, {"metadata": {"name": "b"}, **involved})
    api.world.advance(SECOND)

    assert watch.seen() == [("ADDED", "b")]


def test_what_is_refused_after_the_version_was_read_is_an_event(api: Any) -> None:
    """cacher.go newErrWatcher: the stream begins, tells the error and ends."""
    watch = api.watch(
        "configmaps",
        send_initial_events=True,
        resource_version_match=NOT_OLDER_THAN,
        allow_watch_bookmarks=True,
        resource_version="99999",
    )
    api.world.advance(5 * SECOND)
    error = watch.events[0].object

    assert isinstance(error, Status) and error.causes[0].reason == "ResourceVersionTooLarge"
    assert watch.end == "closed" and watch.refused is None


def test_a_watch_from_the_future_is_taken_and_silent_until_then(api: Any) -> None:
    """A plain watch never waits: it tells what is newer than it was asked for, and nothing else."""
    made = api.create(config("a"))
    later = str(int(made.resource_version) + 2)
    watch = api.watch("configmaps", resource_version=later)
    api.world.advance(SECOND)
    for value in ("1", "2", "3"):
        api.do("update", "configmaps", "a", body=config("a", value))
    api.world.advance(SECOND)

    assert [int(event.object.resource_version) > int(later) for event in watch.events] == [True]


def test_a_cache_that_was_first_asked_for_late_knows_what_happened_since_boot(api: Any) -> None:
    """A real server fills every cache when it boots: a watch may resume from long before anybody asked."""
    made = api.do("create", "secrets", body=secret("a"))
    api.do("create", "secrets", body=secret("b"))
    watch = api.watch("secrets", resource_version=made.resource_version)
    api.world.advance(SECOND)

    assert watch.seen() == [("ADDED", "b")]


def secret(name: str) -> Any:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def test_lists_and_watches_are_in_the_audit_log(api: Any) -> None:
    """With what was asked for, what was served, and who said so."""
    seen: list[ReadServed] = []
    api.world.journal.subscribe(ReadServed, lambda entry: seen.append(entry.event))
    made = api.create(config("a"))
    api.names("configmaps", resource_version="0")
    api.watch("configmaps", resource_version=made.resource_version)
    api.do("list", "events", options=ListOptions())
    api.world.advance(SECOND)
    mine = [one for one in seen if one.user in ("user", "")]

    assert sorted((one.verb, one.resource, one.source) for one in mine) == [
        ("list", "configmaps", "cache"),
        ("list", "events", "etcd"),
        ("watch", "configmaps", "cache"),
    ]
    assert mine[0].asked == "0" and mine[0].prefix == "/registry/configmaps/default/"


# ---- slow clients


def test_a_client_that_takes_nothing_is_cut_off_when_its_buffer_is_full(api: Any) -> None:
    """It reads what was sent, then the end of the stream, and resumes; others are served all the while."""
    closed: list[SlowWatchClosed] = []
    api.world.journal.subscribe(SlowWatchClosed, lambda entry: closed.append(entry.event))
    made = api.create(config("a"))
    slow = api.world.process("slow", host="desk", boot=lambda process: None)
    slow.start()
    seen: list[Any] = []
    ends: list[str] = []
    address = api.watch("configmaps", resource_version=made.resource_version).connection.remote
    line = slow.connect(address, label="watch/configmaps", on_message=seen.append, on_close=ends.append)
    options = ListOptions(resource_version=made.resource_version)
    line.send(Request(verb="watch", resource="configmaps", namespace="default", options=options, user="slow"))
    api.world.advance(SECOND)
    slow.pause()
    for number in range(CONNECTION_HOLDS + 40):
        api.send(api.request("create", "configmaps", body=config(f"n{number}")))
        if number % 100 == 0:
            api.world.advance(SECOND)
    api.world.advance(5 * SECOND)
    slow.resume()
    api.world.advance(SECOND)

    assert [(one.resource, one.client) for one in closed] == [("configmaps", "slow")]
    assert ends == ["closed"]
    assert CONNECTION_HOLDS <= len(seen) < CONNECTION_HOLDS + 40
    last = seen[-1].object.resource_version
    rest = api.watch("configmaps", resource_version=last)
    api.world.advance(SECOND)
    assert rest.events and rest.events[0].type == "ADDED"


def test_the_budget_for_slow_watches_grows_and_is_bounded() -> None:
    """time_budget.go: 50 ms a second, at most 100 ms, and what isn't used comes back."""
    budget = TimeBudget(0)

    assert budget.take(SECOND) == 50 * MILLISECOND
    assert budget.take(SECOND) == 0
    budget.give_back(30 * MILLISECOND)
    assert budget.take(SECOND) == 30 * MILLISECOND
    assert budget.take(100 * SECOND) == 100 * MILLISECOND


def test_buffers_hold_a_second_of_the_ring() -> None:
    """watch_cache.go suggestedWatchChannelSize, for both of a watcher's channels."""
    sizes = [buffer_of(resource, capacity) - CONNECTION_HOLDS for resource, capacity in _RINGS]

    assert sizes == [20, 20, 28, 200, 2000]


_RINGS = [("leases", 100), ("leases", 750), ("leases", 1000), ("leases", 102_400), ("pods", 102_400)]


# ---- what ends the cache's own watch


def test_only_a_lost_connection_is_resumed() -> None:
    """clientv3 watch.go: a canceled watch is over, a broken stream is opened again."""
    assert is_lost("reset") and is_lost("timeout") and is_lost("refused")
    assert not is_lost("canceled: etcdserver: no leader")


def test_a_lost_connection_is_tried_at_once_and_then_as_grpc_does() -> None:
    """1 s, 1.6 s, 2.56 s, up to 120 s (grpc-go, backoff.DefaultConfig)."""
    delays = [resume_after_ns(lost) for lost in range(4)]

    assert delays == [100 * MILLISECOND, SECOND, 1600 * MILLISECOND, 2560 * MILLISECOND]
    assert resume_after_ns(50) == RECONNECT_NS_MAX


@pytest.mark.parametrize(
    ("kind", "created", "has_previous", "whole"),
    [
        (etcd.EventType.PUT, 9, False, True),
        (etcd.EventType.PUT, 5, True, True),
        (etcd.EventType.PUT, 5, False, False),
        (etcd.EventType.DELETE, 0, True, True),
        (etcd.EventType.DELETE, 0, False, False),
    ],
)
def test_a_change_without_the_state_before_it_is_not_passed_on(
    kind: etcd.EventType, created: int, has_previous: bool, whole: bool
) -> None:
    """etcd3/event.go: PrevKv=nil ends the watch; skipping it would leave a ghost in every informer."""
    kv = etcd.KeyValue(key="k", value=b"", create_revision=created, mod_revision=9, version=1)
    event = etcd.Event(type=kind, kv=kv, prev_kv=attrs.evolve(kv, mod_revision=8) if has_previous else None)

    assert is_whole(event) is whole


def test_a_server_whose_member_has_no_leader_is_blind_and_says_so(api: Any) -> None:
    """The member cancels the cache's watch: clients' watches end, and even stale lists are refused until a new list."""
    api.create(config("a"))
    watch = api.watch("configmaps", server=1, resource_version="0")
    api.world.advance(SECOND)
    hosts = [member.host_name for member in api.members if member.host_name != "control-1"]
    cut = api.world.network.partition(["control-1"], hosts)
    api.world.advance(20 * SECOND)
    blind = api.do("list", "configmaps", server=1, options=ListOptions(resource_version="0"))
    api.create(config("b"))
    cut.heal()
    api.world.advance(20 * SECOND)

    assert watch.end == "closed"
    assert (blind.code, blind.reason, blind.message) == (
        429,
        "TooManyRequests",
        "storage is (re)initializing",
    )
    assert "b" in api.names("configmaps", server=1, resource_version="0")
