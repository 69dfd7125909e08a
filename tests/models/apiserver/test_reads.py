"""Lists by their resource version, page by page, of the past and of the future (reference: API concepts, etcd3/store.go)."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.apiserver.api import EXACT, NOT_OLDER_THAN, ListOptions, ObjectList, Status
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.options import check_list_options, check_watch_options, parse_version
from chaoskube.models.apiserver.pages import LATEST, Page, decode_token, encode_token
from chaoskube.models.apiserver.reads import retry_after_seconds
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.etcd.member import endpoints
from chaoskube.models.objects import ConfigMap, Event, FrozenDict, ObjectMeta, ObjectReference
from chaoskube.sim import SECOND


def config(name: str, **labels: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default", labels=FrozenDict(labels)))


def listed(api: Any, server: int = 0, **options: Any) -> ObjectList:
    found = api.do("list", "configmaps", server=server, options=ListOptions(**options))
    assert isinstance(found, ObjectList), found
    return found


def refused(api: Any, **options: Any) -> Status:
    found = api.do("list", "configmaps", options=ListOptions(**options))
    assert isinstance(found, Status), found
    return found


def compact(api: Any) -> None:
    """At etcd's present revision, by somebody else than a server."""
    client = EtcdClient(api.user, endpoints(api.members))
    done: list[object] = []

    def told(outcome: object) -> None:
        assert isinstance(outcome, etcd.RangeResponse)
        client.request(etcd.Compact(outcome.revision), done.append)

    client.request(etcd.Range(key="x"), told)
    api.world.advance(SECOND)
    assert done


def restart(api: Any) -> None:
    """The server begins a new life: its caches know nothing of the past."""
    api.servers[0].crash()
    api.world.advance(SECOND)
    api.servers[0].start()
    api.world.advance(5 * SECOND)


def names(found: ObjectList) -> list[str]:
    return [obj.name for obj in found.items if obj.name != "kube-root-ca.crt"]


# ---- pages


def test_a_token_reads_as_the_real_ones() -> None:
    """From a recording: after b0, at revision 4436."""
    token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDQzNiwic3RhcnQiOiIvYjBcdTAwMDAifQ"

    assert decode_token(token) == Page(revision=4436, start="b0\0")
    assert encode_token(Page(revision=4436, start="b0\0")) == token


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "!",
        "e30",
        encode_token(Page(revision=0, start="a")),
        encode_token(Page(revision=1, start="../a")),
    ],
)
def test_a_bad_token_is_a_bad_request(token: str) -> None:
    """continue.go DecodeContinue: no token may lead out of its prefix."""
    with pytest.raises(ApiError) as caught:
        decode_token(token)

    assert caught.value.status.code == 400
    assert caught.value.status.message.startswith("invalid continue token: continue key is not valid")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("abc", "invalid character 'i' looking for beginning of value"),
        ("a b", "illegal base64 data at input byte 1"),
        ("abcde", "illegal base64 data at input byte 4"),
        ("IiI", "json: cannot unmarshal string into Go value of type storage.continueToken"),
        (
            "eyJydiI6IjEifQ",
            "json: cannot unmarshal string into Go struct field continueToken.rv of type int64",
        ),
    ],
)
def test_what_is_no_token_is_told_as_go_tells_it(token: str, why: str) -> None:
    """continue.go DecodeContinue: the decoder's own words follow."""
    with pytest.raises(ApiError) as caught:
        decode_token(token)

    assert caught.value.status.message == f"invalid continue token: continue key is not valid: {why}"


def test_pages_count_what_is_left_but_not_through_selectors(api: Any) -> None:
    """storage/continue.go PrepareContinueToken: etcd counts what doesn't match, too."""
    for name in "abcd":
        api.create(config(name, on="y"))

    first = listed(api, limit=2)
    chosen = listed(api, limit=2, label_selector="on=y")

    assert first.remaining_item_count == 2 and first.continue_token
    assert chosen.remaining_item_count is None and names(chosen) == ["a", "b"]
    assert names(listed(api, limit=2, continue_token=chosen.continue_token, label_selector="on=y")) == [
        "c",
        "d",
    ]


def test_a_full_last_page_has_no_token_unless_something_follows_it(api: Any) -> None:
    """cacher.go GetList: what follows need not match."""
    for name in ("a", "b"):
        api.create(config(name, on="y"))
    exact = listed(api, limit=2)
    api.create(config("z"))
    vain = listed(api, limit=2, label_selector="on=y")

    assert exact.continue_token == ""
    assert vain.continue_token and names(vain) == ["a", "b"]
    assert names(listed(api, continue_token=vain.continue_token, limit=2, label_selector="on=y")) == []


def test_a_compacted_page_goes_on_inconsistently_with_the_token_in_the_refusal(api: Any) -> None:
    """etcd3/errors.go: revision -1 in the token means that the rest is read as it is now."""
    for number in range(6):
        api.create(config(f"c{number}"))
    first = listed(api, limit=2)
    api.create(config("z"))
    restart(api)
    compact(api)

    expired = refused(api, limit=2, continue_token=first.continue_token)
    api.do("delete", "configmaps", "c3")
    rest = listed(api, limit=2, continue_token=expired.continue_token)

    assert (expired.code, expired.reason) == (410, "Expired")
    assert decode_token(expired.continue_token) == Page(revision=LATEST, start="c1\0")
    assert names(rest) == ["c2", "c4"] and rest.continue_token


def test_a_single_name_is_read_alone_and_has_no_pages(api: Any) -> None:
    """registry/store.go ListPredicate: a list by name is a read of its key."""
    for name in ("a", "b", "c"):
        api.create(config(name))

    found = listed(api, field_selector="metadata.name=b", limit=1)

    assert names(found) == ["b"] and found.continue_token == ""


# ---- the past and the future


def test_exact_lists_show_the_past_until_etcd_and_the_cache_forget(api: Any) -> None:
    """A snapshot of the cache outlives compaction by somebody else; what it doesn't hold is 410."""
    first = api.create(config("a"))
    api.create(config("b"))
    compact(api)

    assert names(listed(api, resource_version=first.resource_version, resource_version_match=EXACT)) == ["a"]
    assert names(listed(api, resource_version=first.resource_version, limit=9)) == ["a"]
    restart(api)
    gone = refused(api, resource_version=first.resource_version, resource_version_match=EXACT)
    assert (gone.code, gone.message) == (410, "The resourceVersion for the provided list is too old.")


def test_an_exact_list_of_the_future_waits_and_then_says_so(api: Any) -> None:
    """cacher.go shouldDelegateExactRV: not fresh is no reason to ask etcd."""
    before = api.world.now
    answer = refused(api, resource_version="99999", resource_version_match=EXACT)

    assert (answer.code, answer.causes[0].reason) == (504, "ResourceVersionTooLarge")
    assert api.world.now - before >= 3 * SECOND


def test_not_older_than_may_be_newer_and_zero_ignores_the_limit(api: Any) -> None:
    """API concepts, the table of lists."""
    first = api.create(config("a"))
    for name in ("b", "c"):
        api.create(config(name))
    version = first.resource_version

    assert names(listed(api, resource_version=version, resource_version_match=NOT_OLDER_THAN, limit=2)) == [
        "a",
        "b",
    ]
    assert names(listed(api, resource_version="0", limit=1)) == ["a", "b", "c"]


def test_a_consistent_list_asks_etcd_when_the_cache_lags_for_good(api: Any) -> None:
    """delegator.go: after 3 s the read falls back to the store; the answer is fresh either way."""
    listed(api)
    api.delay_etcd_watch(0, "configmaps", 30 * SECOND)
    api.create(config("a"), server=1)

    before = api.world.now
    assert names(listed(api)) == ["a"]
    assert 3 * SECOND <= api.world.now - before < 5 * SECOND
    assert names(listed(api, resource_version="0")) == []


# ---- Events


def happened(name: str) -> Event:
    return Event(
        metadata=ObjectMeta(name=name, namespace="default"),
        involved_object=ObjectReference(kind="Pod", name="p", namespace="default"),
        reason="Tested",
    )


def test_events_are_read_from_etcd_whatever_the_version(api: Any) -> None:
    """They have no watch cache: "0" is as fresh as etcd, and a limit holds."""
    for name in ("a", "b"):
        api.create(happened(name))

    stale = api.do("list", "events", options=ListOptions(resource_version="0", limit=1))
    future = api.do("list", "events", options=ListOptions(resource_version="99999"))

    assert [event.name for event in stale.items] == ["a"] and stale.continue_token
    assert (future.code, future.retry_after_seconds) == (504, 0)


def test_events_are_watched_at_etcd(api: Any) -> None:
    """From a version, from now, and 410 in etcd's words once that is compacted (a recording)."""
    made = api.create(happened("a"))
    resumed = api.watch("events", resource_version=made.resource_version)
    fresh = api.watch("events")
    api.world.advance(SECOND)
    api.create(happened("b"))
    api.do("delete", "events", "a")
    api.world.advance(SECOND)
    compact(api)
    late = api.watch("events", resource_version="1")
    api.world.advance(SECOND)

    assert resumed.seen() == [("ADDED", "b"), ("DELETED", "a")]
    assert fresh.seen() == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    error = late.events[0].object
    assert isinstance(error, Status) and late.end == "closed"
    assert (error.code, error.message) == (410, "The resourceVersion for the provided watch is too old.")


def test_a_watch_of_events_survives_a_crash_of_the_member(api: Any) -> None:
    """etcd's client goes on at another one."""
    watch = api.watch("events", server=1)
    api.world.advance(SECOND)
    api.members[1].crash()
    api.world.advance(2 * SECOND)
    api.create(happened("a"))
    api.world.advance(SECOND)

    assert watch.seen() == [("ADDED", "a")] and watch.end == ""


def test_watch_list_of_events_ends_with_a_bookmark(api: Any) -> None:
    """watcher.go isInitialEventsEndBookmarkRequired."""
    api.create(happened("a"))
    watch = api.watch(
        "events", send_initial_events=True, allow_watch_bookmarks=True, resource_version_match=NOT_OLDER_THAN
    )
    api.world.advance(SECOND)

    assert [event.type for event in watch.events] == ["ADDED", "BOOKMARK"]


# ---- options


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            {"resource_version_match": EXACT},
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            {"resource_version_match": EXACT, "resource_version": "0"},
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            {"resource_version_match": EXACT, "resource_version": "1", "continue_token": "x"},
            "resourceVersionMatch is forbidden when continue is provided",
        ),
        ({"send_initial_events": True}, "sendInitialEvents is forbidden for list"),
        ({"begin_now": True}, "sendInitialEvents is forbidden for list"),
    ],
)
def test_options_that_may_not_go_together_are_invalid(options: dict[str, Any], why: str) -> None:
    """internalversion/validation: 422, as of an object ListOptions."""
    with pytest.raises(ApiError) as caught:
        check_list_options(ListOptions(**options))

    assert caught.value.status.code == 422
    assert f"Forbidden: {why}" in caught.value.status.message
    assert caught.value.status.message.startswith('ListOptions.meta.k8s.io "" is invalid: ')


def test_a_watch_may_say_a_match_only_with_initial_events() -> None:
    """validateWatchOptions."""
    check_watch_options(ListOptions(send_initial_events=True, resource_version_match=NOT_OLDER_THAN))
    for options in (
        ListOptions(resource_version_match=NOT_OLDER_THAN),
        ListOptions(send_initial_events=True),
    ):
        with pytest.raises(ApiError):
            check_watch_options(options)


@pytest.mark.parametrize("text", ["a", "-1", "1.5", "²", "99999999999999999999"])
def test_a_version_is_a_number_of_64_bits(text: str) -> None:
    """strconv.ParseUint; a list says 400, a read and a watch 500."""
    with pytest.raises(ValueError, match="strconv.ParseUint: parsing"):
        parse_version(text)


def test_each_verb_refuses_a_bad_version_in_its_way(api: Any) -> None:
    """InvalidError is a BadRequest only where ValidateListOptions wraps it."""
    said = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
    api.create(config("a"))
    bad_list = refused(api, resource_version="x")
    bad_get = api.do("get", "configmaps", "a", resource_version="x")
    bad_watch = api.watch("configmaps", resource_version="x")
    api.world.advance(SECOND)

    assert (bad_list.code, bad_list.message) == (400, f"invalid resource version: {said}")
    assert (bad_get.code, bad_get.message) == (500, said)
    assert bad_watch.refused is not None and bad_watch.refused.code == 500


def test_the_longer_a_cache_is_down_the_later_clients_shall_come_back() -> None:
    """util.go calculateRetryAfterForUnreadyCache: exp(0.06 s), 1 to 30 s."""
    assert [retry_after_seconds(one * SECOND) for one in (0, 10, 20, 50, 10**6)] == [1, 1, 3, 20, 30]
