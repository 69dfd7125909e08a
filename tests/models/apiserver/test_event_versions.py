"""Events of two groups are the same stored objects."""

from __future__ import annotations

from .conftest import Api

OLD = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"
REGARDING = {"kind": "Pod", "name": "p", "namespace": "default"}


def test_an_event_shows_in_both_groups_with_the_names_of_each(api: Api) -> None:
    """pkg/apis/events/v1/conversion.go."""
    made = api.http("POST", NEW, None, None,
                    {"metadata": {"name": "e"}, "regarding": REGARDING, "note": "words", "reason": "R"})  # fmt: skip
    old = api.http("GET", f"{OLD}/e")[1]
    api.http("PUT", f"{OLD}/e", None, None, {**old, "message": "others", "count": 2})
    new = api.http("GET", f"{NEW}/e")[1]

    assert made[0] == 201
    assert (old["apiVersion"], old["involvedObject"], old["message"]) == ("v1", REGARDING, "words")
    assert (new["apiVersion"], new["regarding"]) == ("events.k8s.io/v1", REGARDING)
    assert (new["note"], new["deprecatedCount"]) == ("others", 2)


def test_the_newer_group_selects_by_its_own_names(api: Api) -> None:
    """The field labels of events.k8s.io."""
    for name, kind in (("a", "Pod"), ("b", "Node")):
        api.http(
            "POST",
            OLD,
            None,
            None,
            {"metadata": {"name": name}, "involvedObject": {"kind": kind, "namespace": "default"}},
        )
    code, found = api.http("GET", NEW, {"fieldSelector": "regarding.kind=Node"})

    assert code == 200 and [one["metadata"]["name"] for one in found["items"]] == ["b"]
    assert api.http("GET", NEW, {"fieldSelector": "involvedObject.kind=Node"})[0] == 400


def test_a_watch_of_the_newer_group_shows_its_own_names(api: Api) -> None:
    stream = api.watch("events.events.k8s.io")
    api.world.advance(1_000_000_000)
    api.http("POST", OLD, None, None, {"metadata": {"name": "e"}, "message": "words"})
    api.world.advance(1_000_000_000)

    assert [(event.type, event.object.content["note"]) for event in stream.events] == [("ADDED", "words")]  # type: ignore[union-attr]  # events of a kind without a class
