"""YAML is read as kubectl reads it, and what is broken is said with file and line."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects import load_documents
from chaoskube.sim import UsageError

HEAD = "apiVersion: v1\nkind: ConfigMap\n"


def value_of(text: str) -> Any:
    """The value of `a: TEXT` in a document."""
    return load_documents(f"{HEAD}a: {text}\n", "x.yaml")[0].tree["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("2001-12-14", "2001-12-14"),
        ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
        ("1e3", 1000),
        ("0o644", 420),
        ("0644", 420),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("=", "="),
        ("n", False),
        ("Y", True),
        ("off", False),
        ("~", None),
        ("", None),
        (".5", 0.5),
        ("'1'", "1"),
        ("1.2.3", "1.2.3"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("18446744073709551615", 18446744073709551615),
    ],
)
def test_scalars_follow_go_yaml(text: str, value: object) -> None:
    """Compared with `kubectl patch --local` when the rules were written."""
    found = value_of(text)

    assert (found, type(found)) == (value, type(value))


def test_keys_become_text() -> None:
    """JSON has no other keys."""
    assert value_of("{yes: 1, 2: b, ~: c}") == {"true": 1, "2": "b", "null": "c"}


def test_a_mapping_overrides_what_it_merges() -> None:
    """`<<` gives defaults; that is no duplicate."""
    tree = load_documents(f"{HEAD}m: &m {{a: 1, b: 2}}\nx:\n  <<: *m\n  b: 3\n", "x.yaml")[0].tree

    assert tree["x"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{HEAD}a: 1\na: 2\n", "x.yaml:4: key 'a' is set twice"),
        (f"{HEAD}a: {{yes: 1, on: 2}}\n", "x.yaml:3: key 'true' is set twice"),
        (f"{HEAD}a: [1\n", "x.yaml:4: while parsing a flow sequence: did not find expected ',' or ']'"),
        (f"{HEAD}a: {'[' * 100_000}", "x.yaml:3: nested more than 100 levels deep"),
        (f"{HEAD}a: !!python/name:os.system x\n", "x.yaml:3: could not determine a constructor"),
        (f"{HEAD}a: .inf\n", "x.yaml:3: .inf has no place in JSON"),
        ("- a\n- b\n", "x.yaml:1: a document must be a mapping"),
        ("a: b\n", "x.yaml:1: apiVersion is missing"),
        (f"{HEAD}---\n\n---\nkind: Pod\n", "x.yaml:6: apiVersion is missing"),
        (f"{HEAD}a: \x01\n", "x.yaml:3: the character U+0001 is not allowed in YAML"),
        (f"{HEAD}\ta: 1\n", "x.yaml:3: a tab stands where spaces must"),
        (f"{HEAD}a: @x\n", "x.yaml:3: a value cannot begin with '@'"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, problem: str) -> None:
    """Nobody should have to search."""
    with pytest.raises(UsageError) as raised:
        load_documents(text, "x.yaml")

    assert str(raised.value).startswith(problem)


def test_an_alias_bomb_is_refused() -> None:
    """It loads in no time, as shared references, and would explode when it is copied."""
    levels = "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))

    with pytest.raises(UsageError, match="excessive aliasing"):
        load_documents(f"{HEAD}a0: &a0 [x,x,x,x,x,x,x,x,x]\n{levels}", "x.yaml")
    with pytest.raises(UsageError, match="excessive aliasing"):
        load_documents(f"{HEAD}a: &a [*a]\n", "x.yaml")


def test_documents_and_lists_are_taken_apart() -> None:
    """Each object knows where it stands."""
    text = f"{HEAD}---\n# nothing here\n---\napiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Pod}}\n"

    found = load_documents(text, "x.yaml")

    assert [(document.tree["kind"], document.place) for document in found] == [
        ("ConfigMap", "x.yaml:1"),
        ("Pod", "x.yaml:9"),
    ]


def test_a_field_knows_its_line() -> None:
    """A manifest has hundreds of lines; the first line of its document is of little help."""
    text = (
        f"{HEAD}spec:\n  items:\n  - a: 1\n  - b: 2\n    c.d: {{e: 1,\n      f: 2}}\n---\n"
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    x: 1\n"
    )

    mapping, pod = load_documents(text, "x.yaml")

    paths = [
        "kind",
        "spec.items[1].b",
        "spec.items[1].c.d.f",
        "spec.items[1].missing",
        "spec.items[9]",
        "missing",
        "",
    ]
    assert [mapping.place_of(path) for path in paths] == [f"x.yaml:{line}" for line in (2, 6, 8, 6, 4, 1, 1)]
    assert pod.place_of("spec.x") == "x.yaml:16"
