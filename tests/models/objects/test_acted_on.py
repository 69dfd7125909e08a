"""What is said of fields that are acted on follows from the code."""

from __future__ import annotations

import ast
import json
import sys
from functools import cache
from pathlib import Path

import attrs
import pytest

from chaoskube.cli import run
from chaoskube.models.objects import TYPED, properties_of, struct_of
from chaoskube.models.objects.acted_on import FieldUse, field_uses, is_acted_on, uses_in
from chaoskube.models.objects.fields import json_name

MODELS = Path(__file__).parents[3] / "models"
FACTS: dict[str, dict[str, list[str]]] = json.loads((MODELS / "objects" / "acted_on.json").read_text())
REMAKE = "python -m tests.models.objects.acted_on_build makes acted_on.json anew"


@cache
def read_in(room: str) -> frozenset[str]:
    """JSON names of every attribute that the modules of a room mention, and every text in them."""
    folder = MODELS / ("objects" if room == "components" else room)
    files = [*folder.rglob("*.py"), *MODELS.glob(f"{room}.py")]
    names: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                names.add(json_name(node.attr))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
    return frozenset(names)


def test_each_field_that_is_said_to_be_read_is_read_there() -> None:
    """The file is made from the code; code that went takes its row with it."""
    wrong = [
        f"{cls}.{field} by {room}"
        for cls, fields in FACTS.items()
        for field, rooms in fields.items()
        for room in rooms
        if field not in read_in(room)
    ]

    assert wrong == [], REMAKE


def test_a_field_with_a_name_of_its_own_is_not_read_unless_it_is_said() -> None:
    """Only names that one class alone has can be told from the code without types."""
    owners: dict[str, list[str]] = {}
    for cls in object_classes():
        for field in attrs.fields(cls):
            if field.init and field.name != "extra":
                owners.setdefault(json_name(field.name), []).append(cls.__name__)
    read = set().union(*(read_attributes(room) for room in rooms()))

    silent = sorted(
        f"{names[0]}.{field}"
        for field, names in owners.items()
        if len(names) == 1 and field in read and field not in FACTS.get(names[0], {})
    )

    assert silent == [], REMAKE


def read_attributes(room: str) -> set[str]:
    """Attributes that are loaded in a room."""
    names = set()
    for file in [*(MODELS / room).rglob("*.py"), *MODELS.glob(f"{room}.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and "_" in node.attr:
                names.add(json_name(node.attr))
    return names


def rooms() -> list[str]:
    return ["client", "controllers", "kubectl", "network", "node", "scheduler"]


def object_classes() -> list[type]:
    """The classes of models/objects, through what each kind holds."""
    return [
        value
        for name, module in sorted(sys.modules.items())
        if name.startswith("chaoskube.models.objects.")
        for value in vars(module).values()
        if isinstance(value, type)
        and attrs.has(value)
        and value.__module__ == name
        and "extra" in fields_of(value)
    ]


def fields_of(cls: type) -> list[str]:
    return [field.name for field in attrs.fields(cls)]


@pytest.mark.parametrize(("api_version", "kind"), sorted(TYPED))
def test_every_field_of_a_kind_is_told_once(api_version: str, kind: str) -> None:
    """Each top-level field is there, itself or by its parts."""
    paths = [use.path for use in field_uses(api_version, kind)]
    struct = struct_of(api_version, kind)
    assert struct is not None

    heads = {path.partition(".")[0].removesuffix("[]").removesuffix("{}") for path in paths}
    assert len(paths) == len(set(paths))
    assert heads == set(properties_of(struct)) - {"apiVersion", "kind", "metadata"}


def test_what_is_known_of_some_fields() -> None:
    """Facts that anybody can check: the scheduler asks for a pod's requests, and nobody for its stdin."""
    pod = {use.path: use.rooms for use in field_uses("v1", "Pod")}

    assert "scheduler" in pod["spec.nodeName"] and "node" in pod["spec.terminationGracePeriodSeconds"]
    assert pod["spec.containers[].stdin"] == () and pod["spec.containers[].securityContext"] == ()
    assert is_acted_on("v1", "Pod") and is_acted_on("apps/v1", "Deployment")
    assert not is_acted_on("networking.k8s.io/v1", "IngressClass") and not is_acted_on("v1", "Nothing")


def test_the_fields_of_a_manifest_are_told() -> None:
    """Each field that stands in it, lists once."""
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"nodeName": "a", "containers": [{"stdin": True}, {"stdin": False}], "unheard": 1},
    }

    assert uses_in(tree) == (
        FieldUse(path="spec.nodeName", rooms=dict(rooms_of("v1", "Pod"))["spec.nodeName"]),
        FieldUse(path="spec.containers[].stdin"),
    )


def rooms_of(api_version: str, kind: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(use.path, use.rooms) for use in field_uses(api_version, kind)]


def test_the_command_tells_it_of_kinds_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`chaoskube explain-fields`, by the entry point that the harness finds."""
    file = tmp_path / "pod.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: n, hostPID: true}\n")

    assert run(["explain-fields", "configmap"]) == 0
    assert "  immutable   carried along" in capsys.readouterr().out
    assert run(["explain-fields", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Pod p" in out and "spec.nodeName" in out and "node" in out
    assert run(["explain-fields", "Deploymint"]) == 2
    assert "Deployment" in capsys.readouterr().err
