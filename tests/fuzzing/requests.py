"""Makes requests: every verb, resource, subresource and patch type, about objects that are there or aren't.

Two in three are about an object that is stored, most with a body that is valid but for a few things done to it (none, one,
some). What is drawn depends on `rng` and on what the store holds (`Stored`), nothing else. Called by `hunt.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

from attrs import frozen

from chaoskube.models.objects.resources import Resource

from .seeds import NAMES, new_object, targets
from .values import KEYS, TEXTS, at, deep, places, spoiled, strange

Tree = dict[str, Any]
JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
APPLY: Final = "application/apply-patch+yaml"
PATCH_TYPES: Final = (MERGE, STRATEGIC, JSON_PATCH, APPLY)
NAMESPACES: Final = ("default", "default", "default", "team", "kube-system", "nowhere")


@frozen(kw_only=True)
class Sent:
    """One request as HTTP has it."""

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str | None = None
    body: Any = None

    def line(self) -> str:
        """All of it on one line."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        try:
            text = json.dumps(self.body)
        except RecursionError:
            text = "(too deep to print)"
        body = "" if self.body is None else f"  {self.content_type}  {text}"
        return f"{self.method} {self.path}{'?' if query else ''}{query}{body}"


@frozen(kw_only=True)
class Stored:
    """An object that is in the store."""

    resource: Resource
    namespace: str
    name: str
    tree: Callable[[], Tree]


def draw(rng: Random, stored: Sequence[Stored], number: int) -> Sent:
    """One request."""
    known = rng.choice(stored) if stored and rng.random() < 0.85 else None
    return rng.choices(_MAKERS, _WEIGHTS)[0](rng, known, number)


def collection(resource: Resource, namespace: str) -> str:
    """The path of all objects of a resource in a namespace."""
    root = f"/apis/{resource.api_version}" if "/" in resource.api_version else f"/api/{resource.api_version}"
    inside = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return f"{root}{inside}/{resource.plural}"


# ---- what a request is about


@frozen(kw_only=True)
class _Subject:
    resource: Resource
    namespace: str
    name: str
    tree: Tree
    """As it is stored, or a new one."""

    @property
    def path(self) -> str:
        return f"{collection(self.resource, self.namespace)}/{self.name}"


def _subject(rng: Random, known: Stored | None, number: int) -> _Subject:
    if known is not None:
        return _Subject(
            resource=known.resource, namespace=known.namespace, name=known.name, tree=known.tree()
        )
    resource = rng.choice(targets())
    namespace = rng.choice(NAMESPACES) if resource.namespaced else ""
    name = NAMES.get(resource.kind, "") if rng.random() < 0.5 else ""
    name = name or rng.choice((f"n{number}", f"n{number}", "app", "web", "default"))
    return _Subject(
        resource=resource,
        namespace=namespace,
        name=name,
        tree=new_object(resource, rng.randrange(5), name, namespace),
    )


def _times(rng: Random) -> int:
    return rng.choice((0, 0, 1, 1, 1, 2, 3, 6))


def _crooked(rng: Random, path: str) -> str:
    """Now and then another path."""
    if rng.random() > 0.04 or path.count("/") < 2:
        return path
    parts = path.split("/")
    place = rng.randrange(1, len(parts))
    text = rng.choice(TEXTS)
    return rng.choice(
        (
            "/".join([*parts[:place], text, *parts[place:]]),
            "/".join([*parts[:place], text, *parts[place + 1 :]]),
            "/".join(parts[:place]),
            path + "/",
            path.replace("/v1/", "/v9/"),
        )
    )


def _common(rng: Random) -> dict[str, str]:
    query: dict[str, str] = {}
    if rng.random() < 0.15:
        query["dryRun"] = rng.choice(("All", "All", "All", "Some", "", "all"))
    if rng.random() < 0.25:
        query["fieldManager"] = rng.choice(
            ("ann", "bob", "kubectl", "", "x" * 128, "x" * 129, "é", "a\nb", "💥")
        )
    if rng.random() < 0.2:
        query["fieldValidation"] = rng.choice(("Strict", "Warn", "Ignore", "", "strict", "x"))
    if rng.random() < 0.05:
        query["force"] = rng.choice(("true", "false", "1", "x", ""))
    if rng.random() < 0.02:
        query[rng.choice(("pretty", "timeout", "bogus"))] = rng.choice(TEXTS)
    return query


# ---- writes


def _create(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, None if rng.random() < 0.8 else known, number)
    tree = new_object(subject.resource, rng.randrange(5), subject.name, subject.namespace)
    if rng.random() < 0.1:
        tree["metadata"]["generateName"] = rng.choice(("g-", "G-", "x" * 250, "a.", ""))
        tree["metadata"].pop("name")
    body = _bodied(rng, spoiled(tree, rng, _times(rng)))
    return Sent(
        method="POST",
        path=_crooked(rng, collection(subject.resource, subject.namespace)),
        query=_common(rng),
        content_type=_media(rng),
        body=body,
    )


def _bodied(rng: Random, tree: Any) -> Any:
    """Nearly always what it was."""
    roll = rng.random()
    if roll < 0.97:
        return tree
    return rng.choice(
        (None, "{not json", "", [], [tree], {}, 0, True, strange(rng), deep(300), deep(20_000, is_list=True))
    )


def _media(rng: Random) -> str | None:
    return rng.choice((JSON, None, "text/plain", MERGE)) if rng.random() < 0.02 else JSON


def _update(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    status = "/status" if rng.random() < 0.3 else ""
    tree = spoiled(subject.tree, rng, _times(rng))
    if rng.random() < 0.3 and isinstance(tree.get("metadata"), dict):
        tree["metadata"]["resourceVersion"] = rng.choice(("", "0", "1", "x", "-1", "9" * 30, "١"))
    return Sent(
        method="PUT",
        path=_crooked(rng, subject.path + status),
        query=_common(rng),
        content_type=_media(rng),
        body=_bodied(rng, tree),
    )


def _patch(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    media = rng.choice(PATCH_TYPES)
    status = "/status" if rng.random() < 0.25 else ""
    query = _common(rng)
    if media == APPLY:
        query.setdefault("fieldManager", rng.choice(("ann", "bob")))
        query.setdefault("force", rng.choice(("true", "false")))
    return Sent(
        method="PATCH",
        path=_crooked(rng, subject.path + status),
        query=query,
        content_type=media if rng.random() < 0.98 else rng.choice((None, JSON, "x")),
        body=_bodied(rng, _PATCHES[media](rng, subject)),
    )


def _merge(rng: Random, subject: _Subject) -> Any:
    tree = spoiled(subject.tree, rng, 1 + _times(rng))
    if rng.random() < 0.3:
        return tree
    kept = {name: value for name, value in tree.items() if rng.random() < 0.5 and name != "metadata"}
    if rng.random() < 0.5:
        texts = {"labels": {rng.choice(KEYS): rng.choice((None, *TEXTS))}, "annotations": {"a": "b"}}
        kept["metadata"] = {
            name: value for name, value in {**texts, "finalizers": ["x/y"], "name": subject.name}.items()
            if rng.random() < 0.4
        }  # fmt: skip
    return kept


def _strategic(rng: Random, subject: _Subject) -> Any:
    tree = _merge(rng, subject)
    found = [path for path in places(tree) if isinstance(at(tree, path), (dict, list))]
    for _ in range(rng.choice((0, 1, 1, 2))):
        parent = at(tree, rng.choice(found)) if found else tree
        if isinstance(parent, list):
            parent.append({"$patch": rng.choice(("delete", "replace", "merge", "x", None, 1)), "name": "app"})
            continue
        lists = [name for name, value in parent.items() if isinstance(value, list)]
        name = rng.choice(lists) if lists else "containers"
        directive, value = rng.choice(
            (
                ("$patch", rng.choice(("delete", "replace", "merge", "x", None, {}))),
                ("$retainKeys", rng.choice((list(parent), [], "x", None, [1]))),
                (f"$setElementOrder/{name}", rng.choice(([], [{"name": "app"}], ["a"], "x", None, [None]))),
                (f"$deleteFromPrimitiveList/{name}", rng.choice(([], ["a"], [{}], "x", None))),
            )
        )
        parent[directive] = value
    return tree


def _json_patch(rng: Random, subject: _Subject) -> Any:
    found = list(places(subject.tree))
    operations: list[Any] = []
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        path = _pointer(rng, rng.choice(found))
        operation: Tree = {
            "op": rng.choice(("add", "add", "remove", "replace", "move", "copy", "test")),
            "path": path,
        }
        if operation["op"] in ("move", "copy"):
            operation["from"] = _pointer(rng, rng.choice(found))
        elif operation["op"] != "remove":
            here = rng.choice(found)
            operation["value"] = at(subject.tree, here) if rng.random() < 0.6 else strange(rng)
        operations.append(operation)
    return spoiled(operations, rng, 1) if operations and rng.random() < 0.15 else operations


def _pointer(rng: Random, path: Sequence[str | int]) -> str:
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    if rng.random() < 0.3:
        steps[-1] = rng.choice(("-", "x", "0", "-1", "99", "01", "~2", "", "9" * 30, "labels"))
    return "".join(f"/{step}" for step in steps)


def _apply(rng: Random, subject: _Subject) -> Any:
    tree = {name: value for name, value in subject.tree.items() if name != "status" or rng.random() < 0.2}
    metadata = {"name": subject.name}
    if rng.random() < 0.3:
        metadata["labels"] = {"app": rng.choice(("web", "x"))}  # type: ignore[assignment]  # a tree
    tree["metadata"] = metadata if rng.random() < 0.9 else subject.tree["metadata"]
    return spoiled(tree, rng, _times(rng))


_PATCHES: Final[Mapping[str, Callable[[Random, _Subject], Any]]] = {
    MERGE: _merge,
    STRATEGIC: _strategic,
    JSON_PATCH: _json_patch,
    APPLY: _apply,
}


def _subresource(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    name = rng.choice(
        (
            "scale",
            "scale",
            "scale",
            "binding",
            "eviction",
            "token",
            "finalize",
            "status",
            "log",
            "resize",
            "x",
            "é",
        )
    )
    method = rng.choice(("GET", "PUT", "PATCH", "POST", "DELETE"))
    usual = {"binding": "POST", "eviction": "POST", "token": "POST", "finalize": "PUT"}
    if rng.random() < 0.7:
        method = usual.get(name, method)
    metadata = {"name": subject.name, "namespace": subject.namespace}
    bodies: Mapping[str, Tree] = {
        "scale": {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "spec": {"replicas": rng.choice((0, 1, 3, -1, 2**40))},
        },
        "binding": {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "node-1"}},
        "eviction": {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "deleteOptions": {"gracePeriodSeconds": 0},
        },
        "token": {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": ["x"], "expirationSeconds": 600},
        },
    }
    body: Any = {**bodies[name], "metadata": metadata} if name in bodies else subject.tree
    media = rng.choice(PATCH_TYPES) if method == "PATCH" else JSON
    body = spoiled(body, rng, _times(rng))
    if media == JSON_PATCH:
        value = body.get("spec", {}).get("replicas") if isinstance(body.get("spec"), dict) else strange(rng)
        body = [{"op": "replace", "path": rng.choice(("/spec/replicas", "/spec", "/x")), "value": value}]
    query = _common(rng)
    if media == APPLY:
        query.setdefault("fieldManager", "ann")
    return Sent(
        method=method,
        path=f"{subject.path}/{name}",
        query=query,
        content_type=media,
        body=None if method == "GET" else _bodied(rng, body),
    )


def _delete(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    body: Any = None
    if rng.random() < 0.6:
        metadata = subject.tree.get("metadata", {})
        whole: Tree = {
            "gracePeriodSeconds": rng.choice((0, 0, 1, 30, -1, 2**63)),
            "propagationPolicy": rng.choice(("Foreground", "Background", "Orphan", "x")),
            "preconditions": {"uid": rng.choice((metadata.get("uid"), "x")), "resourceVersion": metadata.get("resourceVersion")},
            "orphanDependents": rng.choice((True, False)),
            "dryRun": rng.choice((["All"], ["x"], [])),
            "kind": rng.choice(("DeleteOptions", "Pod")),
            "apiVersion": rng.choice(("v1", "v2")),
        }  # fmt: skip
        body = {name: value for name, value in whole.items() if rng.random() < 0.25}
        body = spoiled(body, rng, rng.choice((0, 0, 0, 1))) if body else body
    return Sent(
        method="DELETE",
        path=_crooked(rng, subject.path),
        query={**_common(rng), **_some(rng, _DELETE_QUERY, 0.08)},
        content_type=JSON,
        body=_bodied(rng, body),
    )


def _delete_many(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    query = _listing(rng)
    if rng.random() < 0.7:
        query["labelSelector"] = rng.choice(("app=web", "no=such", "a in (b,c)"))
    return Sent(
        method="DELETE", path=collection(subject.resource, subject.namespace), query=query, content_type=JSON
    )


# ---- reads


def _get(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    query = {"resourceVersion": rng.choice(_VERSIONS)} if rng.random() < 0.4 else {}
    status = "/status" if rng.random() < 0.1 else ""
    return Sent(method="GET", path=_crooked(rng, subject.path + status), query=query)


def _list(rng: Random, known: Stored | None, number: int) -> Sent:
    subject = _subject(rng, known, number)
    namespace = rng.choice((subject.namespace, subject.namespace, ""))
    query = _listing(rng)
    if rng.random() < 0.12:
        query |= {"watch": rng.choice(("1", "true", "x")), "timeoutSeconds": "1"}
    return Sent(method="GET", path=_crooked(rng, collection(subject.resource, namespace)), query=query)


def _listing(rng: Random) -> dict[str, str]:
    query = _some(rng, _LIST_QUERY, 0.15)
    if rng.random() < 0.15:
        query["continue"] = _token(rng)
    return query


def _token(rng: Random) -> str:
    tree: Any = {
        "v": rng.choice(("meta.k8s.io/v1", "meta.k8s.io/v1", "x", 1)),
        "rv": rng.choice((1, 5, 60, -1, 0, "x", 2**70, 1.5, True, None)),
        "start": rng.choice(("default/app\0", "/a\0", "", "..", "a/../b", "é", "\ud800", 1, None)),
    }
    text = json.dumps(tree if rng.random() < 0.9 else strange(rng))
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return rng.choice((token, token, token, token[:-1], token + "=", "é", rng.choice(TEXTS)))


def _some(rng: Random, table: Mapping[str, Sequence[str]], chance: float) -> dict[str, str]:
    return {name: rng.choice(values) for name, values in table.items() if rng.random() < chance}


_VERSIONS: Final = ("0", "1", "40", "", "x", "-1", "9" * 30, "1.5", "١", str(2**63), str(2**64 - 1))
_DELETE_QUERY: Final = {
    "gracePeriodSeconds": ("0", "1", "-1", "x", "9" * 30, ""),
    "propagationPolicy": ("Foreground", "Orphan", "Background", "x", ""),
    "orphanDependents": ("true", "false", "x", ""),
}
_LIST_QUERY: Final = {
    "resourceVersion": _VERSIONS,
    "resourceVersionMatch": ("Exact", "NotOlderThan", "x", ""),
    "labelSelector": (
        "app=web", "app!=web", "app in (web,x)", "app notin (web)", "!app", "app", "a=b,c=d", "a in ()", "a in (", "=", ",",
        "a>1", "a<x", "é", "a b", "a==b", "a=b=c", "\ud800", "(" * 300, "a," * 300 + "b",
    ),
    "fieldSelector": (
        "metadata.name=app", "metadata.name!=app", "metadata.namespace=default", "spec.nodeName=", "status.phase=Running",
        "x=y", "metadata.name", "=", ",", "metadata.name=a,metadata.name=b", "a\\=b=c", "\\", "é=é", "metadata.name==a",
        "involvedObject.kind=Pod", "spec.unschedulable=false", "metadata.labels=x", "spec.hostNetwork=x",
    ),
    "limit": ("1", "2", "0", "-1", "500", "x", "9" * 30, "١", "+1", "1e3"),
    "allowWatchBookmarks": ("true", "x"),
    "sendInitialEvents": ("true", "false", "x"),
    "timeoutSeconds": ("1", "0", "-1", "x", "9" * 30, str(2**62)),
}  # fmt: skip


# ---- odd ones


def _odd(rng: Random, known: Stored | None, number: int) -> Sent:
    """Paths that lead nowhere, methods that don't exist."""
    subject = _subject(rng, known, number)
    paths = ("/", "", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz", "/api/v1/namespaces", "//",
             "/apis/x/v1/y", "/api/v1/nodes/a/b/c/d", "/api/v1/namespaces/default", "/apis/fuzz.example/v1/nothing",
             "/api/v1/namespaces/default/pods/a/status/x", "/apis/fuzz.example/v3/gadgets", "/api/v1/watch/pods",
             subject.path, collection(subject.resource, subject.namespace))  # fmt: skip
    return Sent(
        method=rng.choice(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "")),
        path=_crooked(rng, rng.choice(paths)),
        query=_common(rng),
        content_type=rng.choice((JSON, *PATCH_TYPES, None)),
        body=strange(rng),
    )


def _large(rng: Random, known: Stored | None, number: int) -> Sent:
    """Around the limits of size: annotations of 256 KiB, objects of 1 MiB, etcd's 1.5 and 2 MiB, bodies of 3 MiB."""
    size = rng.choice((250_000, 262_143, 262_144, 1_048_577, 1_600_000, 2_200_000, 3_200_000))
    kind = rng.choice(("ConfigMap", "Secret", "Lease"))
    resource = next(one for one in targets() if one.kind == kind)
    tree = new_object(resource, 0, f"large{number}", "default")
    if rng.random() < 0.5:
        tree["metadata"]["annotations"] = {"a": "x" * size}
    else:
        tree["data"] = {"a": "x" * (size - size % 4)}
    return Sent(method="POST", path=collection(resource, "default"), query={}, content_type=JSON, body=tree)


_WEIGHED: Final[Sequence[tuple[Callable[[Random, Stored | None, int], Sent], float]]] = (
    (_create, 22),
    (_update, 20),
    (_patch, 28),
    (_subresource, 8),
    (_delete, 6),
    (_delete_many, 0.7),
    (_get, 3),
    (_list, 8),
    (_odd, 3),
    (_large, 0.2),
)
_MAKERS: Final = [maker for maker, _ in _WEIGHED]
_WEIGHTS: Final = [weight for _, weight in _WEIGHED]
