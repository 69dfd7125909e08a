"""What HTTP says of a request's options, and what it gets to hear for nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.apiserver.api import DELETE, GET, DeleteOptions
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.queries import delete_options, dry_run, list_options

NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("kind", "gracePeriodSeconds", "orphanDependents", "propagationPolicy", "preconditions", "dryRun")


def status_of(what: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        what(*arguments)
    return caught.value.status.code, caught.value.status.message


def test_a_body_counts_alone() -> None:
    """delete.go: the query is read only where there is no body."""
    query = {"gracePeriodSeconds": "5", "propagationPolicy": "Orphan"}

    assert delete_options(query, None) == DeleteOptions(grace_period_seconds=5, propagation_policy="Orphan")
    assert delete_options(query, {"gracePeriodSeconds": 0}) == DeleteOptions(grace_period_seconds=0)


def test_the_old_and_the_new_way_to_orphan_exclude_each_other() -> None:
    """validation.go ValidateDeleteOptions."""
    code, message = status_of(delete_options, {}, {"orphanDependents": True, "propagationPolicy": "Orphan"})

    assert code == 422
    assert message == (
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and '
        "deletionPropagation cannot be both set"
    )


@pytest.mark.parametrize(
    ("text", "expected"), [(None, (False, False)), ("true", (True, False)), ("false", (False, True))]
)
def test_no_initial_events_is_not_the_same_as_no_word_about_them(
    text: str | None, expected: tuple[bool, bool]
) -> None:
    """meta/v1 ListOptions.SendInitialEvents is a pointer."""
    options = list_options({} if text is None else {"sendInitialEvents": text})

    assert (options.send_initial_events, options.begin_now) == expected


def test_an_unknown_policy_is_not_supported() -> None:
    """The list of those that are is part of the message."""
    code, message = status_of(delete_options, {"propagationPolicy": "Maybe"}, None)

    assert code == 422
    assert message.endswith(
        'Unsupported value: "Maybe": supported values: "Foreground", "Background", "Orphan", "nil"'
    )


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("limit", "x", "invalid syntax"),
        ("limit", "1e3", "invalid syntax"),
        ("timeoutSeconds", "9" * 30, "value out of range"),
    ],
)
def test_numbers_of_the_query_are_int64(name: str, text: str, why: str) -> None:
    """conversion.go: 400 with strconv's words."""
    assert status_of(list_options, {name: text}) == (400, f'strconv.ParseInt: parsing "{text}": {why}')


def test_dry_run_stands_in_the_query_or_in_the_body_of_a_delete() -> None:
    """Only All is a dry run."""
    assert dry_run({"dryRun": "All"}, GET, None) and not dry_run({}, GET, None)
    assert dry_run({}, DELETE, {"dryRun": ["All"]})
    assert status_of(dry_run, {}, DELETE, {"dryRun": ["Some"]})[0] == 422


@given(st.dictionaries(st.sampled_from(_FIELDS), NONSENSE) | NONSENSE, st.dictionaries(st.text(), st.text()))
def test_nonsense_is_refused_or_understood_and_never_breaks(body: Any, query: dict[str, str]) -> None:
    """A hostile client gets a Status, not a traceback."""
    for read in (
        delete_options,
        lambda query, body: dry_run(query, DELETE, body),
        lambda query, _: list_options(query),
    ):
        try:
            read(query, body)
        except ApiError as error:
            assert error.status.code in (400, 422) and error.status.message


def test_orphans_are_kept_in_the_old_way_too(api: Any) -> None:
    """orphanDependents=true adds the finalizer; false waits for nobody, and says 202 where something remains."""
    body = {"metadata": {"name": "a", "finalizers": ["example.com/held"]}}
    api.http(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        body={"apiVersion": "v1", "kind": "ConfigMap", **body},
    )
    path = "/api/v1/namespaces/default/configmaps/a"
    code, kept = api.http("DELETE", path, body={"orphanDependents": False})
    _, orphaned = api.http("DELETE", path, body={"orphanDependents": True})

    assert code == 202 and kept["metadata"]["finalizers"] == ["example.com/held"]
    assert "orphan" in orphaned["metadata"]["finalizers"]
