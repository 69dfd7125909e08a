"""Server-side apply of custom objects: lists by the keys of their schema, managers as for built-in kinds."""

from __future__ import annotations

from typing import Any

from .conftest import Api

Tree = dict[str, Any]
APPLY = "application/apply-patch+yaml"
PATH = "/apis/example.com/v1/namespaces/default/databases/d"
USERS: Tree = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "role": {"type": "string"}},
    },
}
SPEC: Tree = {"type": "object", "properties": {"size": {"type": "integer"}, "users": USERS}}
DEFINITION: Tree = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "databases.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {
            "plural": "databases",
            "singular": "database",
            "kind": "Database",
            "listKind": "DatabaseList",
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    },
}


def database(**spec: Any) -> Tree:
    """A configuration."""
    return {"apiVersion": "example.com/v1", "kind": "Database", "metadata": {"name": "d"}, "spec": spec}


def test_two_managers_share_a_list_of_a_custom_object(api: Api) -> None:
    """Items by key, conflicts by field, and what is given up goes."""
    code, answer = api.http(
        "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body=DEFINITION
    )
    assert code == 201, answer
    api.world.advance(10 * 10**9)

    one, two = {"fieldManager": "one"}, {"fieldManager": "two"}
    made = api.http("PATCH", PATH, one, APPLY, database(size=1, users=[{"name": "a", "role": "admin"}]))
    api.http("PATCH", PATH, two, APPLY, database(users=[{"name": "b"}]))
    fight = api.http("PATCH", PATH, two, APPLY, database(size=2, users=[{"name": "b"}]))
    _, tree = api.http("PATCH", PATH, one, APPLY, database(size=1))

    assert made[0] == 201, made
    assert fight[0] == 409 and fight[1]["details"]["causes"][0]["field"] == ".spec.size"
    assert tree["spec"] == {"size": 1, "users": [{"name": "b"}]}
    owned = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in tree["metadata"]["managedFields"]}
    assert owned == {
        "one": {"f:size": {}},
        "two": {"f:users": {'k:{"name":"b"}': {".": {}, "f:name": {}}}},
    }
