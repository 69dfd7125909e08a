"""Options of a write that are refused before anything is read, as the real server words it."""

from __future__ import annotations

from typing import Any

import pytest

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
A = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
MERGE = "application/merge-patch+json"


def causes(answer: tuple[int, dict[str, Any]]) -> list[str]:
    """Field and message of each cause."""
    assert answer[0] == 422, answer
    return [f"{one['field']}: {one['message']}" for one in answer[1]["details"]["causes"]]


@pytest.mark.parametrize(
    ("method", "path", "media", "kind"),
    [
        ("POST", CONFIG_MAPS, None, "CreateOptions"),
        ("PUT", f"{CONFIG_MAPS}/a", None, "UpdateOptions"),
        ("PATCH", f"{CONFIG_MAPS}/a", MERGE, "PatchOptions"),
    ],
)
def test_an_unknown_field_validation_is_refused(
    api: Any, method: str, path: str, media: str | None, kind: str
) -> None:
    """validation.go, ValidateFieldValidation: the sorted list of what there is, "" first."""
    answer = api.http(method, path, {"fieldValidation": "Foo"}, media, A)

    assert causes(answer) == [
        'fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"'
    ]
    assert answer[1]["message"].startswith(f'{kind}.meta.k8s.io "" is invalid: fieldValidation:')


def test_a_manager_is_short_and_printable(api: Any) -> None:
    """validation.go, ValidateFieldManager: bytes are counted, signs are named by their code point."""
    long = api.http("POST", CONFIG_MAPS, {"fieldManager": "ü" * 65}, None, A)
    odd = api.http("POST", CONFIG_MAPS, {"fieldManager": "ü\t"}, None, A)

    assert causes(long) == ["fieldManager: Too long: may not be more than 128 bytes"]
    assert causes(odd) == [
        'fieldManager: Invalid value: "ü\\t": invalid character U+0009 (at position 2)',
    ]


def test_force_is_for_apply_alone(api: Any) -> None:
    """validation.go, ValidatePatchOptions."""
    answer = api.http("PATCH", f"{CONFIG_MAPS}/a", {"force": "true"}, MERGE, {})

    assert causes(answer) == ["force: Forbidden: may not be specified for non-apply patch"]
