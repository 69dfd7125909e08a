"""Managers are noted at a write and worked out when they are read: with the same result as at once."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects import (
    ConfigMap,
    FrozenDict,
    Lease,
    LeaseSpec,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
    decode,
    encode,
)
from chaoskube.models.objects.managed.managers import NOTES_MAX, Entries, Managers
from chaoskube.models.objects.managed.tracking import note_create, note_update
from chaoskube.models.objects.managed.updating import Who


def who(name: str, time: int = 0, subresource: str = "") -> Who:
    """A manager."""
    return Who(manager=name, api_version="v1", time=time, subresource=subresource)


def entries(obj: ConfigMap | Pod | Lease) -> Entries:
    """An object's managers."""
    assert obj.metadata.managed_fields is not None
    return obj.metadata.managed_fields.entries


def config(**data: str) -> ConfigMap:
    """A config map."""
    return ConfigMap(metadata=ObjectMeta(name="c", namespace="n", uid="u"), data=FrozenDict(data))


NAMES = st.sampled_from(["x", "y", "z"])
DATA = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]), max_size=3)


@given(st.lists(st.tuples(NAMES, DATA), min_size=1, max_size=NOTES_MAX + 6))
def test_late_is_as_good_as_at_once(steps: list[tuple[str, dict[str, str]]]) -> None:
    """One history, read at its end or after every write."""
    late = note_create(config(), who("creator"))
    eager = note_create(config(), who("creator"))
    for number, (name, data) in enumerate(steps):
        late = note_update(late, evolve(late, data=FrozenDict(data)), who(name, number * 10**9))
        eager = note_update(eager, evolve(eager, data=FrozenDict(data)), who(name, number * 10**9))
        entries(eager)

    assert entries(late) == entries(eager)


@given(
    st.lists(
        st.tuples(st.sampled_from(["k", "l"]), st.integers(1, 4), st.sampled_from(["k", "l"])), max_size=12
    )
)
def test_renewals_that_share_a_note_lose_nothing(steps: list[tuple[str, int, str]]) -> None:
    """A lease renewed by one holder, then by another: whoever wrote last manages what it set."""
    first = Lease(
        metadata=ObjectMeta(name="l", uid="u"), spec=LeaseSpec(holder_identity="k", renew_time=10**9)
    )
    late, eager = note_create(first, who("k")), note_create(first, who("k"))
    for number, (name, renewed, holder) in enumerate(steps):
        spec = evolve(late.spec, renew_time=renewed * 10**9, holder_identity=holder)
        late = note_update(late, evolve(late, spec=spec), who(name, number * 10**9))
        eager = note_update(eager, evolve(eager, spec=spec), who(name, number * 10**9))
        entries(eager)

    assert entries(late) == entries(eager)


def test_a_status_write_takes_nothing_of_the_spec() -> None:
    """Its own door, its own entry; items by their keys, the empty status itself stays nobody's."""
    pod = note_create(Pod(metadata=ObjectMeta(name="p", uid="u")), who("c"))
    condition = PodCondition(type="Ready", status="True")
    status = PodStatus(phase="Running", conditions=(condition,))

    written = note_update(pod, evolve(pod, status=status), who("kubelet", subresource="status"))

    kubelet = next(entry for entry in entries(written) if entry.manager == "kubelet")
    tree = kubelet.fields.encode()["f:status"]
    assert kubelet.subresource == "status" and list(tree) == ["f:conditions", "f:phase"]
    assert tree["f:conditions"]['k:{"type":"Ready"}']["."] == {}


def test_notes_make_no_difference_of_their_own() -> None:
    """A write that changes nothing is not written, so its note must not make the object another one."""
    obj = note_create(config(a="1"), who("c"))
    same = note_update(obj, evolve(obj, data=FrozenDict({"a": "1"})), who("d"))

    assert same == obj and hash(same.metadata.managed_fields) == hash(obj.metadata.managed_fields)
    assert entries(same) == entries(obj)


def test_a_list_set_on_purpose_does() -> None:
    """Sharing a field without changing it is written."""
    one = Managers(entries(note_create(config(a="1"), who("c"))))
    other = Managers(entries(note_create(config(a="1"), who("d"))))

    assert one != other and one == Managers(one.entries)
    assert Managers(tuple([evolve(entry, time=5) for entry in one.entries])) == one


@pytest.mark.parametrize("given_list", [[], [{}]])
def test_managers_can_be_forgotten(given_list: list[dict[str, str]]) -> None:
    """isResetManagedFields: then nobody is tracked until the next apply."""
    obj = note_create(config(a="1"), who("c"))
    body = evolve(obj, metadata=evolve(obj.metadata, managed_fields=Managers.decode(given_list)))

    forgotten = note_update(obj, body, who("d"))
    later = note_update(forgotten, evolve(forgotten, data=FrozenDict({"a": "2"})), who("e"))

    assert forgotten.metadata.managed_fields is None and later.metadata.managed_fields is None


def test_a_body_without_managers_keeps_them() -> None:
    """Clients that don't know of managers must not lose them."""
    obj = note_create(config(a="1"), who("c"))
    body = evolve(
        obj, metadata=evolve(obj.metadata, managed_fields=None), data=FrozenDict({"a": "1", "b": "1"})
    )

    written = note_update(obj, body, who("d"))

    assert [entry.manager for entry in entries(written)] == ["c", "d"]


def test_managers_are_read_as_they_were_written() -> None:
    """JSON and back; what is malformed counts as not given."""
    obj = note_create(config(a="1"), who("c", 5 * 10**9))
    tree = encode(obj)

    assert tree["metadata"]["managedFields"] == [
        {
            "manager": "c",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "1970-01-01T00:00:05Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
        }
    ]
    assert decode(tree) == obj
    tree["metadata"]["managedFields"][0]["operation"] = "Dance"
    assert decode(tree).metadata.managed_fields is None


def test_old_versions_are_let_go() -> None:
    """A list settles after so many notes: a lease's versions of a day are not kept alive."""
    obj = note_create(config(), who("c"))
    for number in range(5 * NOTES_MAX):
        obj = note_update(obj, evolve(obj, data=FrozenDict({"a": str(number)})), who(f"m{number % 2}"))
    managers, depth = obj.metadata.managed_fields, 0
    while managers is not None:
        managers, depth = managers._base, depth + 1

    assert depth <= NOTES_MAX + 2
