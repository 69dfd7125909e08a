"""What must hold of an answer, of the store afterwards, and of everybody's view of the store.

`complaints` are sentences; none means that all is well. A refusal changes nothing, and is a Status as the real server's
are. What was accepted is what can be read, reads back as what was written, has the types of the schema, and can be written
again without a change. Called by `hunt.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chaoskube.models.objects import KubeObject, decode, encode
from chaoskube.models.objects.schema import check, known
from chaoskube.sim import SECOND

from .requests import JSON, Sent
from .server import Answer, Bench

REASONS: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("BadRequest",),
    403: ("Forbidden",),
    404: ("NotFound",),
    405: ("MethodNotAllowed",),
    406: ("NotAcceptable",),
    409: ("Conflict", "AlreadyExists"),
    410: ("Expired", "Gone"),
    413: ("RequestEntityTooLarge",),
    415: ("UnsupportedMediaType",),
    422: ("Invalid",),
    429: ("TooManyRequests",),
    500: ("", "InternalError", "ServerTimeout"),
    504: ("Timeout",),
}
"""Go's constructors of Status errors give each code one of these (apimachinery, api/errors/errors.go)."""
SAID_WITH_500: Final = (
    "resourceVersion should not be set on objects to be created",
    "strconv.ParseUint: ",
    "resourceVersion: Invalid value: ",
    "failed to create typed ",
    "unable to find api field in struct ",
    "unrecognized type: ",
    "unknown patch type: ",
    "map: map[",
    "delete patch type with no merge key defined",
    "cannot convert int64 to ",
    "no elements in any of the given slices",
    "list element types are not identical: ",
    "expected a ",
    "merging lists cannot yet be specified in the patch",
    "The order in patch list:",
    "etcdserver: request is too large",
    "rpc error: code = ResourceExhausted desc = trying to send message larger than max ",
    "Internal error occurred: failed calling webhook ",
    "Internal error occurred: the spec replicas field ",
    "error when ",
    "invalid object",
    "target.",  # of a Binding: core/pod/storage/storage.go gives back an aggregate
    "[target.",
)
"""Go errors that are no Status: the real server answers them with 500 and these words."""


def of_refusal(answer: Answer) -> Iterator[str]:
    """A Status as errors.go makes them."""
    if answer.tree == "404 page not found\n" and answer.code == 404:
        return
    tree = answer.tree
    if not isinstance(tree, dict):
        yield f"{answer.code} with {tree!r} for a body"
        return
    head = (tree.get("kind"), tree.get("apiVersion"), tree.get("status"), tree.get("code"))
    if head != ("Status", "v1", "Failure", answer.code):
        yield f"{answer.code} with a body that says {head}"
    if answer.code not in REASONS or tree.get("reason", "") not in REASONS[answer.code]:
        yield f"{answer.code} with the reason {tree.get('reason')!r}"
    if not isinstance(tree.get("message"), str) or not tree["message"]:
        yield f"{answer.code} without a message"
    elif answer.code == 500 and not tree["message"].startswith(SAID_WITH_500):
        yield f"500: {tree['message']}"
    for cause in tree.get("details", {}).get("causes", []):
        if not all(isinstance(value, str) for value in cause.values()) or not set(cause) <= {
            "reason",
            "message",
            "field",
        }:
            yield f"the cause {cause!r}"
    yield from _as_json(tree)


def _as_json(tree: Any) -> Iterator[str]:
    try:
        json.dumps(tree, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        yield f"an answer that is no JSON: {error!r}"


def of_object(answer: Answer) -> Iterator[str]:
    """An object: JSON, of the schema's types, and the same when read again."""
    tree = answer.tree
    yield from _as_json(tree)
    if answer.obj is None or not isinstance(tree, dict):
        return
    if known(str(tree.get("apiVersion")), str(tree.get("kind"))):
        for problem in check(tree):
            if not problem.message.startswith("is required"):
                yield f"answered with an object whose {problem}"
    again = encode(decode(encode(answer.obj)))
    if again != encode(answer.obj):
        yield f"answered with an object that is {_difference(encode(answer.obj), again)} when decoded again"


def of_store(sent: Sent, answer: Answer, before: Mapping[str, object], bench: Bench) -> Iterator[str]:
    """A read, a refusal and a dry run leave the store as it was; writes of definitions have consequences."""
    is_write = sent.method in ("POST", "PUT", "PATCH", "DELETE") and answer.code < 300
    if is_write and not _is_dry(sent):
        return
    if sent.method == "DELETE" and answer.code == 409 and _is_collection(sent):
        return
    after = bench.contents()
    if after != before:
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        changed = [
            key for key in keys if "customresourcedefinitions" not in key and "fuzz.example" not in key
        ]
        if not changed:
            return  # the server's own controllers of definitions
        yield f"{sent.method} answered with {answer.code} changed {', '.join(changed)}"


def _is_dry(sent: Sent) -> bool:
    if sent.method == "DELETE" and isinstance(sent.body, dict) and sent.body:
        return bool(sent.body.get("dryRun"))  # options in a body count alone
    return sent.query.get("dryRun") == "All"


def _is_collection(sent: Sent) -> bool:
    return sent.query.keys() & {"labelSelector", "limit"} != set()


def of_write(sent: Sent, answer: Answer, bench: Bench) -> Iterator[str]:
    """What was accepted can be read, from etcd and from the cache, and written again without a change."""
    tree = answer.tree
    if (
        answer.obj is None
        or not isinstance(tree, dict)
        or sent.query.get("dryRun")
        or sent.method == "DELETE"
    ):
        return
    path = _path_of(sent, answer.obj)
    if not path or answer.obj.kind == "CustomResourceDefinition":
        return  # of definitions the server's own controllers write the status meanwhile
    if bench.is_redefined and "fuzz.example" in path:
        return  # what is read is pruned by the stored version's schema, which may be another one now
    found = bench.send(Sent(method="GET", path=path, query={}))
    if found.code == 404:
        if not tree["metadata"].get("deletionTimestamp"):
            yield f"{path} was answered, and is not there"
        return
    if found.tree != tree:
        yield f"{path} was answered as {_difference(tree, found.tree)} when read"
    cached = bench.send(Sent(method="GET", path=path, query={"resourceVersion": "0"}))
    if cached.tree != found.tree:  # it may have been filled for this, and its watch not be in step yet
        bench.world.advance(SECOND)
        cached = bench.send(Sent(method="GET", path=path, query={"resourceVersion": "0"}))
    if cached.tree != found.tree:
        yield f"{path} is {_difference(found.tree, cached.tree)} in the cache"
    if sent.path.endswith("/status") or tree["kind"] in _NOT_REWRITTEN:
        return
    again = bench.send(
        Sent(method="PUT", path=path, query={"fieldManager": "again"}, content_type=JSON, body=tree)
    )
    if again.code != 200:
        if not _came_by_status(again.tree):
            yield f"{path} cannot be written again: {again.code} {again.tree.get('message')}"
    elif again.tree["metadata"]["resourceVersion"] != tree["metadata"]["resourceVersion"]:
        yield f"{path} written again is {_difference(tree, again.tree)}"


_NOT_REWRITTEN: Final = ("Scale", "TokenRequest", "Status")


def _came_by_status(refusal: Mapping[str, Any]) -> bool:
    """A write of the status takes any generateName that fits a path; some kinds ask more of it when they are written whole.

    (pkg/registry/core/namespace/strategy.go: namespaceStatusStrategy looks at less than namespaceStrategy.)
    """
    causes = refusal.get("details", {}).get("causes", ())
    return bool(causes) and all(cause.get("field") == "metadata.generateName" for cause in causes)


def _path_of(sent: Sent, obj: KubeObject) -> str:
    path = sent.path.rstrip("/")
    parts = path.split("/")
    if parts[-1] == "status":
        return "/".join(parts[:-1])
    if parts[-1] in ("scale", "binding", "eviction", "token", "finalize"):
        return ""
    return f"{path}/{obj.name}" if sent.method == "POST" else path


def _difference(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *[name for name in other if name not in one]]:
            if one.get(name, _difference) != other.get(name, _difference):
                return _difference(one.get(name, "<absent>"), other.get(name, "<absent>"), f"{path}.{name}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (here, there) in enumerate(zip(one, other, strict=True)):
            if here != there:
                return _difference(here, there, f"{path}[{place}]")
    return f"{path}: {str(one)[:300]} against {str(other)[:300]}"


def of_views(bench: Bench) -> Iterator[str]:
    """Lists (from etcd's revision, and from the cache) and watches show what etcd holds."""
    for mirror in bench.mirrors:
        held = bench.objects_of(mirror.name)
        yield from [f"watch of {mirror.name}: {what}" for what in mirror.wrong]
        if mirror.is_custom and mirror.end:
            continue  # its definition went; another may have come
        if mirror.end and held:
            yield f"the watch of {mirror.name} ended: {mirror.end}"
        elif not mirror.end:
            seen = {key: obj.resource_version for key, obj in mirror.objects.items()}
            if seen != held:
                yield f"the watch of {mirror.name} shows {seen}, etcd holds {held}"
        for version in ("", "0"):
            listed = bench.listed(mirror.name, version)
            if isinstance(listed, dict):
                if held:
                    yield f"{mirror.name} cannot be listed: {listed}"
                continue
            seen = {(obj.namespace, obj.name): obj.resource_version for obj in listed.items}
            if seen != held:
                yield f"the list of {mirror.name} at {version!r} is {seen}, etcd holds {held}"
