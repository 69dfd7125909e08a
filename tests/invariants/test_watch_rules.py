"""The promises of a watch, case by case as etcd's robustness suite has them (tests/robustness/validate/validate_test.go).

Each case is a history of requests, what one or several watches asked for and received, and the rule that the suite says
is broken first. Two cases of the suite carry one name; here they are told apart by what they watch.
"""

from __future__ import annotations

import pytest
from attrs import evolve, field, frozen

from chaoskube.models.etcd.messages import Event, EventType, KeyValue, prefix_end
from chaoskube.models.etcd.view.watch_rules import Rule, Watched, WatchRules

# -- a history, and what a watch receives of it


class Replayed:
    """The history that some requests make, one revision each, from revision 2 on."""

    def __init__(self, requests: tuple[tuple[tuple[str, str | None], ...], ...]) -> None:
        self._revisions: dict[int, tuple[Event, ...]] = {}
        self._states: dict[int, dict[str, KeyValue]] = {1: {}}
        for revision, changes in enumerate(requests, start=2):
            state = dict(self._states[revision - 1])
            self._revisions[revision] = tuple(_change(state, revision, key, value) for key, value in changes)
            self._states[revision] = state

    def events_at(self, revision: int) -> tuple[Event, ...]:
        return self._revisions.get(revision, ())

    def value_at(self, key: str, revision: int) -> KeyValue | None:
        return self._states[min(revision, max(self._states))].get(key)


def _change(state: dict[str, KeyValue], revision: int, key: str, value: str | None) -> Event:
    before = state.get(key)
    if value is None:
        state.pop(key, None)
        return _deleted(key, revision)
    created, version = (before.create_revision, before.version + 1) if before else (revision, 1)
    state[key] = KeyValue(
        key=key, value=value, create_revision=created, mod_revision=revision, version=version
    )
    return Event(type=EventType.PUT, kv=state[key])


def _deleted(key: str, revision: int) -> Event:
    kv = KeyValue(key=key, value=None, create_revision=0, mod_revision=revision, version=0)
    return Event(type=EventType.DELETE, kv=kv)


@frozen
class Put:
    """A put as it was received; `before` is the previous version that came with it: (value, revision, version)."""

    key: str
    value: str
    revision: int
    is_create: bool = True
    before: tuple[str, int, int] | None = None

    def event(self, history: Replayed) -> Event:
        made = next((one.kv for one in history.events_at(self.revision) if one.kv.key == self.key), None)
        created = made.create_revision if made is not None else 1
        if self.is_create != (created == self.revision):
            created = self.revision if self.is_create else 1
        kv = KeyValue(
            key=self.key,
            value=self.value,
            create_revision=created,
            mod_revision=self.revision,
            version=made.version if made is not None else 1,
        )
        return Event(type=EventType.PUT, kv=kv, prev_kv=_before(history, self.key, self.before))


@frozen
class Delete:
    """A deletion as it was received."""

    key: str
    revision: int
    before: tuple[str, int, int] | None = None

    def event(self, history: Replayed) -> Event:
        return evolve(_deleted(self.key, self.revision), prev_kv=_before(history, self.key, self.before))


def _before(history: Replayed, key: str, told: tuple[str, int, int] | None) -> KeyValue | None:
    if told is None:
        return None
    value, revision, version = told
    there = history.value_at(key, revision)
    created = there.create_revision if there is not None else revision
    return KeyValue(key=key, value=value, create_revision=created, mod_revision=revision, version=version)


Response = tuple[Put | Delete, ...] | int
"""Events, or the revision of a progress notice."""


@frozen
class Watch:
    """What one watch asked for, and got."""

    responses: tuple[Response, ...] = ()
    key: str = ""
    prefix: bool = False
    start: int = 0
    prev_kv: bool = field(default=False, kw_only=True)

    def rules(self, history: Replayed, is_unique: bool) -> WatchRules:
        watched = Watched(
            key=self.key,
            range_end=prefix_end(self.key) if self.prefix else "",
            start_revision=self.start,
            prev_kv=self.prev_kv,
        )
        rules = WatchRules(watched, history, has_unique_revisions=is_unique)
        for response in self.responses:
            if isinstance(response, int):
                rules.progress(response)
            else:
                rules.events(tuple(one.event(history) for one in response))
        rules.ended()
        return rules


def all_keys(*responses: Response, start: int = 0, prev_kv: bool = False) -> Watch:
    return Watch(responses, "", True, start, prev_kv=prev_kv)


def one_key(key: str, *responses: Response, start: int = 0, prev_kv: bool = False) -> Watch:
    return Watch(responses, key, False, start, prev_kv=prev_kv)


def keys_from(prefix: str, *responses: Response, start: int = 0) -> Watch:
    return Watch(responses, prefix, True, start)


@frozen(kw_only=True)
class Case:
    """One case of the suite's table."""

    name: str
    history: tuple[tuple[tuple[str, str | None], ...], ...]
    watches: tuple[Watch, ...]
    breaks: Rule | None = None
    has_unique_revisions: bool = False


def puts(*keys: str) -> tuple[tuple[tuple[str, str | None], ...], ...]:
    """One put a revision, with the values 1, 2, 3 ..."""
    return tuple(((key, str(value)),) for value, key in enumerate(keys, start=1))


A, B, C = Put("a", "1", 2), Put("b", "2", 3), Put("c", "3", 4)
ABC = puts("a", "b", "c")
CHANGES = ((("a", "1"),), (("a", "2"),), (("a", None),), (("a", "4"),))
"""Created, changed, deleted, created again."""
LAST = Put("a", "4", 5)


def case(
    name: str, history: object, *watches: Watch, breaks: Rule | None = None, unique: bool = False
) -> Case:
    assert isinstance(history, tuple)
    return Case(name=name, history=history, watches=watches, breaks=breaks, has_unique_revisions=unique)


CASES = [
    case("ordered unique events in one response", puts("a", "b"), all_keys((A, B))),
    case("a put with a lease that doesn't exist makes no event", (), one_key("a")),
    case("ordered unique events in separate responses", puts("a", "b"), all_keys((A,), (B,))),
    case("unordered events in one response", puts("a", "b"), all_keys((B, A)), breaks=Rule.ORDERED),
    case("unordered events in separate responses", puts("a", "b"), all_keys((B,), (A,)), breaks=Rule.ORDERED),
    case("unordered events in separate watches", puts("a", "b"), one_key("b", (B,)), one_key("a", (A,))),
    case(
        "duplicated events in one response",
        puts("a"),
        one_key("a", (A, Put("a", "2", 2))),
        breaks=Rule.UNIQUE,
    ),
    case(
        "duplicated events in separate responses",
        puts("a"),
        one_key("a", (A,), (Put("a", "2", 2),)),
        breaks=Rule.UNIQUE,
    ),
    case("duplicated events in separate watches", puts("a"), one_key("a", (A,)), one_key("a", (A,))),
    case("one revision twice in one response", ((("a", "1"), ("b", "2")),), all_keys((A, Put("b", "2", 2)))),
    case("one revision in separate watches", puts("a"), one_key("a", (A,)), one_key("a", (A,))),
    case(
        "one revision twice in one response, where revisions have one key each",
        puts("a", "b"),
        all_keys((A, Put("b", "2", 2))),
        breaks=Rule.UNIQUE,
        unique=True,
    ),
    case(
        "atomic: one revision twice in one response, where revisions have one key each",
        puts("a", "b"),
        all_keys((A, Put("b", "2", 2))),
        breaks=Rule.UNIQUE,
        unique=True,
    ),
    case(
        "one revision in separate responses",
        puts("a", "b"),
        all_keys((A,), (Put("b", "2", 2),)),
        breaks=Rule.ATOMIC,
    ),
    case("all events with a start revision and a notice", ABC, all_keys((A, B, C), 4, start=2)),
    case("all events with notices alone", ABC, all_keys(1, (A, B, C), 4)),
    case("no events without a start revision", ABC, all_keys(4)),
    case("no events with a start revision", ABC, all_keys(4, start=2), breaks=Rule.RELIABLE),
    case("only foreign events with a start revision", ABC, one_key("d", 2, 3, 3, 4, start=2)),
    case("no events between notices", ABC, all_keys(1, 4), breaks=Rule.RELIABLE),
    case("only foreign events between notices", ABC, one_key("d", 2, 3, 3, 4)),
    case("notices that don't fall", ABC, all_keys(1, (A,), 2, (B,), 3, 3, (C,), 4)),
    case("an event precedes a lower notice", ABC, all_keys((A, B, C), 3), breaks=Rule.BOOKMARKABLE),
    case("a notice precedes its event", ABC, all_keys((A, B), 4, (C,)), breaks=Rule.BOOKMARKABLE),
    case("a notice precedes a lower notice", (), all_keys(2, 1), breaks=Rule.BOOKMARKABLE),
    case("a notice below the start revision", puts("a"), all_keys(2, start=3)),
    case("notices without any history", (), all_keys(1, 1)),
    case("an event is missing before a notice", ABC, all_keys((A, B), 4), breaks=Rule.RELIABLE),
    case(
        "an event of the key is missing before a notice",
        puts("a", "a", "c"),
        one_key("a", (A,), 4),
        breaks=Rule.RELIABLE,
    ),
    case(
        "an event with the prefix is missing before a notice",
        puts("aa", "ab", "cc"),
        keys_from("a", (Put("aa", "1", 2),), 4),
        breaks=Rule.RELIABLE,
    ),
    case("the whole history", ABC, all_keys((A, B, C))),
    case("a single revision", puts("a"), all_keys((A,))),
    case("a single revision with a start revision", puts("a"), all_keys((A,), start=2)),
    case("a single revision is missing, with a start revision", puts("a"), all_keys((), start=2)),
    case("a single revision with a notice", puts("a"), all_keys((A,), 2)),
    case(
        "a single revision is missing, with a notice", puts("a"), all_keys(2, start=2), breaks=Rule.RELIABLE
    ),
    case("an event in the middle is missing", ABC, all_keys((A, C)), breaks=Rule.RELIABLE),
    case(
        "the event in the middle is of another key",
        puts("a", "ab", "a"),
        one_key("a", (A, Put("a", "3", 4, False))),
    ),
    case(
        "the event in the middle has another prefix",
        puts("aa", "bb", "ac"),
        keys_from("a", (Put("aa", "1", 2), Put("ac", "3", 4))),
    ),
    case("the first event is missing", ABC, all_keys((B, C))),
    case("the last event is missing", ABC, all_keys((A, B))),
    case("an empty response at the end", ABC, all_keys((A, B, C), ())),
    case("from a revision in the middle", ABC, all_keys((B, C), start=3)),
    case("one key from before its first event", ABC, one_key("b", (B,), start=2)),
    case(
        "a prefix from before its first event",
        puts("a", "bb", "bc"),
        keys_from("b", (Put("bb", "2", 3), Put("bc", "3", 4)), start=2),
    ),
    case("the first event from the start on is missing", ABC, all_keys((C,), start=3), breaks=Rule.RESUMABLE),
    case(
        "the first event of the key from the start on is missing",
        puts("a", "b", "b"),
        one_key("b", (Put("b", "3", 4, False),), start=2),
        breaks=Rule.RESUMABLE,
    ),
    case(
        "the first event with the prefix from the start on is missing",
        puts("a", "bb", "bc"),
        keys_from("b", (Put("bc", "3", 4),), start=2),
        breaks=Rule.RESUMABLE,
    ),
    case(
        "created and changed as it was",
        CHANGES,
        one_key("a", (A, Put("a", "2", 3, False), Delete("a", 4), LAST)),
    ),
    case(
        "a second put is told as a creation",
        CHANGES,
        one_key("a", (A, Put("a", "2", 3, True), Delete("a", 4), LAST)),
        breaks=Rule.IS_CREATE,
    ),
    case(
        "a put after a deletion is told as a change",
        CHANGES,
        one_key("a", (A, Put("a", "2", 3, False), Delete("a", 4), Put("a", "4", 5, False))),
        breaks=Rule.IS_CREATE,
    ),
    case(
        "no previous versions",
        CHANGES,
        one_key("a", (A, Put("a", "2", 3, False), Delete("a", 4), LAST), prev_kv=True),
    ),
    case(
        "all previous versions",
        CHANGES,
        one_key(
            "a",
            (A, Put("a", "2", 3, False, ("1", 2, 1)), Delete("a", 4, ("2", 3, 2)), LAST),
            prev_kv=True,
        ),
    ),
    case(
        "another previous value on a put",
        CHANGES,
        one_key(
            "a",
            (A, Put("a", "2", 3, False, ("2", 2, 1)), Delete("a", 4, ("2", 3, 2)), LAST),
            prev_kv=True,
        ),
        breaks=Rule.PREV_KV,
    ),
    case(
        "another previous revision on a put",
        CHANGES,
        one_key(
            "a",
            (A, Put("a", "2", 3, False, ("1", 3, 1)), Delete("a", 4, ("2", 3, 2)), LAST),
            prev_kv=True,
        ),
        breaks=Rule.PREV_KV,
    ),
    case(
        "another previous value on a deletion",
        CHANGES,
        one_key(
            "a",
            (A, Put("a", "2", 3, False, ("1", 2, 1)), Delete("a", 4, ("1", 3, 2)), LAST),
            prev_kv=True,
        ),
        breaks=Rule.PREV_KV,
    ),
    case(
        "another previous revision on a deletion",
        CHANGES,
        all_keys((A, Put("a", "2", 3, False, ("1", 2, 1)), Delete("a", 4, ("2", 2, 2)), LAST), prev_kv=True),
        breaks=Rule.PREV_KV,
    ),
    case("an event of another key", puts("a", "b"), one_key("a", (A, B)), breaks=Rule.FILTER),
    case(
        "an event with another prefix",
        puts("aa", "bb", "ac"),
        keys_from("a", (Put("aa", "1", 2), Put("bb", "2", 3), Put("ac", "3", 4))),
        breaks=Rule.FILTER,
    ),
]


@pytest.mark.parametrize("one", CASES, ids=[one.name for one in CASES])
def test_the_suites_own_case_has_the_suites_verdict(one: Case) -> None:
    """The first rule that is broken, of all watches in order, is the one that etcd's suite reports."""
    history = Replayed(one.history)

    broken = [watch.rules(history, one.has_unique_revisions).first_broken() for watch in one.watches]

    assert next((rule for rule in broken if rule is not None), None) is one.breaks


def test_every_rule_is_broken_by_some_case() -> None:
    assert {one.breaks for one in CASES} == {None, *Rule}
    assert len({one.name for one in CASES}) == len(CASES) == 59


# -- what a simulation knows beyond the suite


def test_a_watch_from_now_on_must_not_miss_its_first_event() -> None:
    """The suite can't know when a watch without a start began; the simulation can."""
    history = Replayed(ABC)
    rules = WatchRules(Watched(key="", range_end="\0", first_revision=2), history)

    rules.events((B.event(history),))

    assert rules.broken[Rule.RELIABLE] == "was sent PUT b at 3 where the history has PUT a at 2"


def test_events_below_the_start_revision_are_told() -> None:
    """etcd issue 20221: a watch on a future revision got old events after a snapshot."""
    history = Replayed(ABC)
    rules = WatchRules(Watched(key="", range_end="\0", start_revision=4), history)

    rules.events((A.event(history),))

    assert rules.first_broken() is Rule.RELIABLE


def test_a_filtered_kind_of_event_is_neither_wanted_nor_allowed() -> None:
    """WatchCreateRequest.filters: NOPUT and NODELETE."""
    history = Replayed(CHANGES)
    deletions = Watched(key="a", start_revision=2, filters=("NOPUT",))
    right, wrong = WatchRules(deletions, history), WatchRules(deletions, history)

    right.events((Delete("a", 4).event(history),))
    right.progress(5)
    wrong.events((A.event(history),))

    assert right.broken == {}
    assert wrong.first_broken() is Rule.FILTER


def test_a_key_that_changes_twice_at_a_revision_is_held_against_the_whole_events() -> None:
    """A delete from a key on and a put may stand in one transaction: both events carry its revision."""
    history = Replayed(((("a", "1"),), (("a", None), ("a", "2"))))
    rules = WatchRules(Watched(key="a", start_revision=2, prev_kv=True), history)
    events = history.events_at(3)

    rules.events(history.events_at(2))
    rules.events(events)

    assert rules.broken == {}


def test_half_a_revision_at_the_end_is_missed_when_the_watch_ends() -> None:
    """Until then the other half may be on its way (and would break Atomic)."""
    history = Replayed(((("a", "1"), ("b", "1")),))
    rules = WatchRules(Watched(key="", range_end="\0", start_revision=2), history)

    rules.events(history.events_at(2)[:1])
    assert rules.broken == {}
    rules.ended()

    assert rules.first_broken() is Rule.RELIABLE
