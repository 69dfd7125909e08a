"""Server-side apply: ownership, conflicts, force, sharing, giving up; merging lists."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects.managed.applying import Applied, Apply, ApplyConflict, apply
from chaoskube.models.objects.managed.comparing import compare, fields_of
from chaoskube.models.objects.managed.field_set import path_text
from chaoskube.models.objects.managed.managers import Entries
from chaoskube.models.objects.managed.merging import merge, remove_fields
from chaoskube.models.objects.managed.shapes import ShapeError, root_of
from chaoskube.models.objects.managed.updating import UPDATERS_MAX, Who, after_update

Tree = dict[str, Any]
POD = root_of("v1", "Pod") or {}
CONFIG = root_of("v1", "ConfigMap") or {}


def who(name: str, time: int = 0) -> Who:
    """A manager."""
    return Who(manager=name, api_version="v1", time=time)


class Shelf:
    """One object that managers apply to, as an API server keeps it."""

    def __init__(self, found: Any = CONFIG) -> None:
        self.found = found
        self.tree: Tree = {"metadata": {"uid": "u"}}
        self.entries: Entries = after_update((), compare({}, {"immutable": False}, CONFIG), who("creator"))

    def apply(self, name: str, config: Tree, *, force: bool = False) -> Applied:
        """An apply that is kept."""
        done = apply(
            self.tree, self.entries, Apply(config=config, found=self.found, who=who(name), force=force)
        )
        self.tree, self.entries = done.tree if done.tree is not None else self.tree, done.entries
        return done

    def update(self, name: str, **fields: Any) -> None:
        """A PUT."""
        new = {**self.tree, **fields}
        self.entries = after_update(self.entries, compare(self.tree, new, self.found), who(name))
        self.tree = new

    def owned(self, name: str) -> list[str]:
        """What a manager manages."""
        return [path_text(p) for entry in self.entries if entry.manager == name for p in entry.fields.paths()]


def test_the_life_of_a_field() -> None:
    """Owned, fought for, taken, given up: the rules in their order."""
    shelf = Shelf()
    shelf.apply("a", {"data": {"x": "1", "y": "1"}})
    with pytest.raises(ApplyConflict) as caught:
        shelf.apply("b", {"data": {"x": "2"}})
    assert [path_text(one.path) for one in caught.value.conflicts] == [".data.x"]
    shelf.apply("b", {"data": {"x": "2"}}, force=True)
    assert shelf.owned("a") == [".data.y"] and shelf.owned("b") == [".data.x"]
    shelf.apply("a", {"data": {"y": "1", "x": "2"}})  # the same value: shared
    shelf.apply("b", {"data": {}})  # given up, and still somebody's
    assert shelf.tree["data"] == {"x": "2", "y": "1"}
    shelf.apply("a", {"data": {}})  # given up, and nobody's
    assert not shelf.tree.get("data")


def test_an_update_takes_without_asking_and_is_never_pruned() -> None:
    """Only appliers remove what they leave out."""
    shelf = Shelf()
    shelf.apply("a", {"data": {"x": "1"}})
    shelf.update("kubectl-edit", data={"x": "2", "own": "1"})
    assert shelf.owned("a") == []
    assert shelf.owned("kubectl-edit") == [".data.own", ".data.x"]
    with pytest.raises(ApplyConflict):
        shelf.apply("a", {"data": {"x": "1"}})
    shelf.apply("a", {"data": {"other": "1"}})

    assert shelf.tree["data"] == {"x": "2", "own": "1", "other": "1"}


def test_an_object_without_managers_belonged_to_somebody_before() -> None:
    """skipnonapplied.go: the first apply may conflict with `before-first-apply`."""
    shelf = Shelf()
    shelf.entries, shelf.tree = (), {"metadata": {"uid": "u"}, "data": {"x": "1"}}

    with pytest.raises(ApplyConflict) as caught:
        shelf.apply("a", {"data": {"x": "2"}})

    assert caught.value.conflicts[0].entry.manager == "before-first-apply"


def test_kubectl_may_take_what_it_applied_from_the_client() -> None:
    """lastappliedmanager.go: no conflict for fields in the last-applied annotation that are as they were applied."""
    text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"x":"1"}}'
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": text}
    shelf = Shelf()
    shelf.update(
        "kubectl-client-side-apply", data={"x": "1", "y": "1"}, metadata={"annotations": annotations}
    )

    shelf.apply("kubectl", {"data": {"x": "2"}})
    with pytest.raises(ApplyConflict):
        shelf.apply("kubectl", {"data": {"x": "2", "y": "2"}})

    assert shelf.tree["data"]["x"] == "2"


def test_merged_lists_keep_the_order_of_the_configuration() -> None:
    """typed/merge.go: shared items as configured, the others where they were before the next shared one."""

    def names(tree: Any) -> str:
        return "".join(one["name"] for one in tree["spec"]["containers"])

    def pod(text: str) -> Tree:
        return {"spec": {"containers": [{"name": name} for name in text]}}

    for live, wanted, merged in (
        ("abc", "b", "abc"),
        ("abc", "cb", "acb"),
        ("abc", "xb", "axbc"),
        ("", "ba", "ba"),
        ("abcd", "dxa", "bcdxa"),
    ):
        assert names(merge(pod(live), pod(wanted), POD)) == merged, (live, wanted)


def test_two_items_with_one_key_are_refused_in_a_configuration_and_replaced_in_an_object() -> None:
    """merge/duplicates_test.go."""
    twice = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "a", "image": "2"}]}}
    once = {"spec": {"containers": [{"name": "a", "image": "3"}]}}

    assert merge(twice, once, POD) == once
    with pytest.raises(ShapeError, match=r'duplicate entries for key \[name="a"\]'):
        apply(once, (), Apply(config=twice, found=POD, who=who("a")))


def test_more_than_ten_updaters_become_one() -> None:
    """capmanagers.go: the oldest are merged into ancient-changes."""
    entries: Entries = ()
    tree: Tree = {"data": {}}
    for number in range(UPDATERS_MAX + 3):
        new = {"data": {**tree["data"], str(number): "x"}}
        entries = after_update(entries, compare(tree, new, CONFIG), who(f"m{number}", number))
        tree = new

    managers = [entry.manager for entry in entries]
    assert len(managers) == UPDATERS_MAX and managers.count("ancient-changes") == 1
    ancient = next(entry for entry in entries if entry.manager == "ancient-changes")
    assert [path_text(path) for path in ancient.fields.paths()] == [f".data.{n}" for n in range(4)]


def test_what_is_removed_is_gone_with_all_below() -> None:
    """typed/remove.go."""
    tree = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "hostname": "h"}}
    gone = fields_of({"spec": {"containers": [{"name": "a"}]}}, POD)

    assert remove_fields(tree, gone, POD) == {"spec": {"containers": [{"name": "b"}], "hostname": "h"}}


NAMES = st.sampled_from(["a", "b", "c"])
DATA = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3)
STEPS = st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), DATA, st.booleans()), max_size=8)


@given(STEPS)
def test_applies_of_a_flat_map_agree_with_a_naive_reference(steps: list[tuple[str, Tree, bool]]) -> None:
    """The whole of server-side apply, written down for one dictionary in ten lines. One key is always somebody else's."""
    shelf = Shelf()
    shelf.update("owner", data={"kept": "1"})
    values: Tree = {"kept": "1"}
    owners: dict[str, set[str]] = {"kept": {"owner"}}
    for name, data, force in steps:
        fights = [
            key for key, value in data.items() if owners.get(key, set()) - {name} and values.get(key) != value
        ]
        if fights and not force:
            with pytest.raises(ApplyConflict) as caught:
                shelf.apply(name, {"data": data})
            assert sorted({one.path[-1][2:] for one in caught.value.conflicts}) == sorted(fights)
            continue
        shelf.apply(name, {"data": data}, force=force)
        for key in list(values):
            if key not in data and name in owners[key]:
                owners[key].discard(name)
                if not owners[key]:
                    del values[key]
        for key, value in data.items():
            owners[key] = {name} if values.get(key) != value else owners[key] | {name}
            values[key] = value

    assert (shelf.tree.get("data") or {}) == values
    for name in ("x", "y", "z"):
        mine = [text for text in shelf.owned(name) if text != ".data"]
        assert mine == [f".data.{key}" for key in sorted(values) if name in owners[key]]


@given(DATA, DATA)
def test_applying_twice_changes_nothing(live: Tree, wanted: Tree) -> None:
    """A no-op apply isn't written: neither object nor managers differ."""
    shelf = Shelf()
    shelf.update("u", data=live)
    shelf.apply("a", {"data": wanted}, force=True)
    before = shelf.entries

    again = shelf.apply("a", {"data": wanted})

    assert again.tree is None
    assert [evolve(entry, time=None) for entry in again.entries] == [
        evolve(entry, time=None) for entry in before
    ]
