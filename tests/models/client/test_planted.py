"""Famous bugs of client-go, each by patching one function: seen with it, not without.

They show that the decision stands in one place, and that these machines would feel its loss.
"""

from __future__ import annotations

import pytest

from chaoskube.models.client import reflector as reflectors
from chaoskube.models.client.election import Election, ElectionOptions, LeaderRecord
from chaoskube.models.client.handlers import Handler
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.models.client.reflector import Reflector
from chaoskube.sim import SECOND

from .scripted import EXPIRED, TOO_LARGE, added, bookmark, cut, fails, lists, pod, stream
from .test_informer import Watcher, play
from .test_leader_election import Stage

A, Z = pod("a", 5), pod("z", 50)


def known(watcher: Watcher) -> list[str]:
    """What the informer ended up with."""
    return [each.name for each in watcher.informer.list()]


@pytest.mark.parametrize(("planted", "names"), [(False, ["a", "z"]), (True, ["a"])])
def test_reflector_stuck_on_too_large_rv(
    monkeypatch: pytest.MonkeyPatch, planted: bool, names: list[str]
) -> None:
    """Without the fall-back it asks a lagging server for the future, again and again."""
    if planted:
        monkeypatch.setattr(reflectors, "is_too_large", lambda why: False)

    def lagging(connection: object, request: object) -> None:
        version = request.options.resource_version  # type: ignore[attr-defined]
        turn = stream(*added(A, Z), bookmark(60, end=True)) if not version else fails(TOO_LARGE)
        if request.verb == "list" and version:  # type: ignore[attr-defined]
            connection.close()  # type: ignore[attr-defined]
            return
        turn(connection, request)  # type: ignore[arg-type]

    watcher = play(lambda each: None, fails(EXPIRED, *added(A), bookmark(99, end=True)), lagging, seconds=60)

    assert known(watcher) == names


@pytest.mark.parametrize(("planted", "names"), [(False, ["a", "z"]), (True, ["z"])])
def test_reflector_rv_from_synthetic_added(
    monkeypatch: pytest.MonkeyPatch, planted: bool, names: list[str]
) -> None:
    """Cut among the initial events, it goes on from the highest version that it happened to see."""

    def resume_from_what_came(self: Reflector, why: object) -> None:
        came = tuple((self._initial or {}).values())
        self._initial = None
        self._replace(came, max((one.resource_version for one in came), key=int))
        self._rewatch()

    if planted:
        monkeypatch.setattr(Reflector, "_stream_list_ended", resume_from_what_came)
    watcher = play(
        lambda each: None, cut(*added(Z)), stream(*added(Z, A)[planted * 2 :], bookmark(60, end=True))
    )

    assert known(watcher) == names


@pytest.mark.parametrize(("planted", "told"), [(False, ["+a", "-a@5"]), (True, ["+a"])])
def test_informer_tombstone_unhandled(
    monkeypatch: pytest.MonkeyPatch, planted: bool, told: list[str]
) -> None:
    """One component that takes nothing but real deletions never hears of this one."""
    right = Handler.lost

    def lost(self: Handler, tombstone: object) -> None:
        if self.component != "client":
            right(self, tombstone)  # type: ignore[arg-type]

    if planted:
        monkeypatch.setattr(Handler, "lost", lost)
    turns = (fails(EXPIRED, *added(A), bookmark(10, end=True)), stream(bookmark(20, end=True)))
    watcher = play(lambda each: each.listen(), *turns)

    assert watcher.told == told


@pytest.mark.parametrize(("planted", "takes"), [(False, False), (True, True)])
def test_leaderelection_wrong_lease_duration(
    monkeypatch: pytest.MonkeyPatch, planted: bool, takes: bool
) -> None:
    """Its own short duration instead of the holder's: a valid lease is stolen."""

    def is_valid(self: Election, now: int) -> bool:
        return self.observed_at + self.options.lease_duration_ns > now

    if planted:
        monkeypatch.setattr(Election, "is_valid", is_valid)
    short = ElectionOptions(
        lease_duration_ns=3 * SECOND, renew_deadline_ns=2 * SECOND, retry_period_ns=SECOND
    )
    election = Election("me", short)
    election.read(LeaderRecord(holder="other", lease_duration_seconds=15), 0)

    assert election.may_take(4 * SECOND) is takes


@pytest.mark.parametrize(("planted", "alive"), [(False, False), (True, True)])
def test_leaderelection_workers_outlive_lease(
    monkeypatch: pytest.MonkeyPatch, planted: bool, alive: bool
) -> None:
    """The lease is lost, and its workers go on."""
    if planted:
        monkeypatch.setattr(LeaderElector, "stop_leading", lambda self: None)
    stage = Stage()
    process = stage.candidate("a")
    stage.advance(5)
    stage.server.is_mute = True
    stage.advance(20)
    stage.world.close()

    assert process.is_alive is alive


@pytest.mark.parametrize(("planted", "asked"), [(False, "stream -"), (True, "list 0 limit=500")])
def test_apiserver_stale_list_time_travel(monkeypatch: pytest.MonkeyPatch, planted: bool, asked: str) -> None:
    """The first list takes any cache's word, however old."""
    from .test_reflector_rules import play as play_reflector

    if planted:
        monkeypatch.setattr(Reflector, "_begin", lambda self: self._list())
    turns = (lists(A, version=3), stream()) if planted else (stream(bookmark(9, end=True)),)
    script, _ = play_reflector(*turns, seconds=1)

    assert script.asked()[0] == asked
