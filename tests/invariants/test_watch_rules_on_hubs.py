"""The rules of a watch against real hubs: what a hub sends is never called wrong, and what was meddled with always is.

Scripts are those of tests/models/etcd/test_watch.py: slow streams, compactions, members that lag and take snapshots.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chaoskube.models.etcd.events import Applied
from chaoskube.models.etcd.messages import Event
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.models.etcd.view.watch_rules import Rule, Watched, WatchRules
from chaoskube.sim import Journal
from tests.models.etcd.test_watch import Step, play, steps
from tests.models.etcd.watch_model import Scene, Watch

Received = list[tuple[Event, ...] | int]
"""Responses with events, and notices, as they came."""


def received(watch: Watch) -> Received:
    """What a watch got, in order."""
    found: Received = []
    notices, count = list(watch.progress), 0
    for message in watch.messages:
        while notices and notices[0][1] <= count:
            found.append(notices.pop(0)[0])
        found.append(message.events)
        count += len(message.events)
    return [*found, *[revision for revision, _ in notices]]


def history_of(scene: Scene) -> StoreView:
    journal, state = Journal(), State()
    past = StoreView(journal)
    for number, request in enumerate(scene.requests, start=1):
        events = state.apply(request, 0).events
        told = Applied(
            index=number,
            term=1,
            revision=state.store.revision,
            request_id=number,
            events=events,
            failed=False,
        )
        journal.record(number, "etcd-0", told)
    return past


def judge(watch: Watch, responses: Received, scene: Scene) -> Rule | None:
    """The rule that is broken first, after everything came and the watch is over."""
    create = watch.create
    watched = Watched(
        key=create.key,
        range_end=create.range_end,
        start_revision=create.start_revision,
        first_revision=watch.first_revision,
        prev_kv=create.prev_kv,
        filters=tuple([one.value for one in create.filters]),
    )
    rules = WatchRules(watched, history_of(scene), compacted=lambda: scene.compacted)
    for response in responses:
        if isinstance(response, int):
            rules.progress(response)
        else:
            rules.events(response)
    if not watch.is_over:
        assert rules.missing(scene.leader.store.revision) is None
    rules.ended(is_compacted=bool(watch.compact_revision))
    return rules.first_broken()


def watches_of(scene: Scene) -> list[Watch]:
    return [watch for client in scene.clients for watch in (*client.watches.values(), *client.over)]


@given(st.lists(steps, min_size=10, max_size=40))
@settings(deadline=None, max_examples=60)
def test_what_a_hub_sends_is_never_called_wrong(script: list[Step]) -> None:
    """Also that nothing is missing once everybody has taken everything, and that what is called compacted is."""
    scene = play(script)

    for watch in watches_of(scene):
        assert judge(watch, received(watch), scene) is None, watch


def meddled(responses: Received, place: int, how: str) -> Received:
    """The same with one thing wrong at the response at `place`, which has events."""
    events = responses[place]
    assert not isinstance(events, int)
    before, after = responses[:place], responses[place + 1 :]
    if how == "lost":
        return [*before, *after]
    if how == "twice":
        return [*before, events, events, *after]
    if how == "early":
        return [*before, events[-1].kv.mod_revision, events, *after]
    if how == "late":
        return [*before, *after[:1], events, *after[1:]]
    other = evolve(events[0], kv=evolve(events[0].kv, value="never written"))
    return [*before, (other, *events[1:]), *after]


@given(
    st.lists(steps, min_size=10, max_size=40),
    st.sampled_from(("lost", "twice", "early", "late", "other")),
    st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_what_was_meddled_with_is_told(script: list[Step], how: str, place: int) -> None:
    """One response lost, doubled, late or changed, or promised too early; at the very end nobody can tell."""
    scene = play(script)
    for watch in watches_of(scene):
        responses = received(watch)
        places = [one for one, response in enumerate(responses) if not isinstance(response, int)]
        if how in ("lost", "late"):
            places = places[:-1]
        if places:
            chosen = places[place % len(places)]
            assert judge(watch, meddled(responses, chosen, how), scene) is not None, (how, chosen, watch)
            return
    assume(False)
