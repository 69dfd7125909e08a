"""The simulated API server that is fuzzed: over one etcd member, with a view into its store, and a watch on everything.

`Bench` answers requests one by one and lets the world settle after each, so whatever etcd holds can be compared with what
was answered, with the server's caches, and with what the watches made of their events. Called by `hunt.py` and
`oracle.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
from attrs import frozen

from chaoskube.models.apiserver.api import ListOptions, ObjectList, Request, Response, WatchEvent
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.keys import prefix_of
from chaoskube.models.apiserver.paths import (
    NoSuchPath,
    answer_of,
    body_tree,
    error_answer,
    object_tree,
    to_request,
    watch_tree,
)
from chaoskube.models.apiserver.server import ApiServer, boot_apiserver
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import MILLISECOND, SECOND, Address, Connection, DiskTimes, Process, World

from .requests import Sent, Stored, collection
from .seeds import BOXES, GADGETS, new_object, targets

PORT: Final = 6443
HOST: Final = "control"
SETTLE_NS: Final = 12 * MILLISECOND
"""Enough for an answer, and for the caches and watches to hear of a write."""
LONGEST_NS: Final = 70 * SECOND
ROOT: Final = "/registry/"


@frozen(kw_only=True)
class Answer:
    """What came back: the code and the tree; for a watch the lines of its first moments. Code 0: nothing did."""

    code: int
    tree: Any
    lines: tuple[Any, ...] = ()
    obj: KubeObject | None = None


class Mirror:
    """What one watch makes of its events: the objects of a resource, by namespace and name."""

    def __init__(self, bench: Bench, resource: Resource, name: str) -> None:
        self.name = name
        self.is_custom = resource.custom is not None
        self.objects: dict[tuple[str, str], KubeObject] = {}
        self.revision = 0
        self.wrong: list[str] = []
        self.end = ""
        self._connection = bench.connect(f"watch/{name}", self._on_message, self._on_close)
        options = ListOptions(allow_watch_bookmarks=False)
        self._connection.send(Request(verb="watch", resource=name, user="fuzz", options=options))

    def _on_message(self, message: object) -> None:
        if not isinstance(message, WatchEvent) or not isinstance(message.object, KubeObject):
            self.wrong.append(f"{message!r}")
            return
        obj, key = message.object, (message.object.namespace, message.object.name)
        known = key in self.objects
        if known is (message.type == "ADDED"):
            self.wrong.append(f"{message.type} of {key}, which was {'' if known else 'not '}there")
        if message.type == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = obj
        revision = int(obj.resource_version)
        if known and revision <= self.revision:
            self.wrong.append(f"{message.type} of {key} at {revision} after {self.revision}")
        self.revision = max(self.revision, revision)

    def _on_close(self, reason: str) -> None:
        self.end = reason


class Bench:
    """A world with a server, and a hand on the keyboard."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.replica: Replica
        self.is_redefined = False
        """Whether the definitions are no more those that it began with."""
        self.server: ApiServer
        self._ip = world.add_host(HOST).ip
        fast = DiskTimes(write_ns=0, sync_ns=0)
        world.process("etcd-0", host=HOST, boot=self._boot_etcd, disk=fast).start()
        world.process("apiserver-0", host=HOST, boot=self._boot_server).start()
        self.user: Process = world.process("user", host=HOST, boot=lambda process: None)
        self.user.start()
        world.advance(4 * SECOND)
        self._answers: dict[int, Response] = {}
        self._contents: tuple[int, dict[str, tuple[object, int]]] = (0, {})
        self._count = 0
        self._link = self.connect("api", self._on_answer, lambda reason: None)
        self._furnish()
        self._resources = {prefix_of(one): one for one in _stored_resources(self.server)}
        self.mirrors = [Mirror(self, one, one.name) for one in self._resources.values()]
        world.advance(SECOND)
        self._seen: tuple[int, list[Stored]] = (0, [])

    def _boot_etcd(self, process: Process) -> None:
        replica = boot_member(process, "etcd-0", ["etcd-0"])
        assert replica is not None
        self.replica = replica

    def _boot_server(self, process: Process) -> None:
        self.server = boot_apiserver(process, (Address(self._ip, CLIENT_PORT),), PORT)

    def _furnish(self) -> None:
        """A namespace more, two definitions, and an object of every kind."""
        for spec in (GADGETS, BOXES):
            name = f"{spec['names']['plural']}.{spec['group']}"
            tree = {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": name},
                "spec": spec,
            }
            self.insist("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", tree)
        self.insist("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
        self.world.advance(6 * SECOND)
        for resource in targets():
            if "get" not in resource.verbs and resource.verbs or resource.plural in _FURNISHED_LATER:
                continue
            tree = new_object(resource, 0, "app", "default")
            self.send(
                Sent(
                    method="POST",
                    path=collection(resource, "default"),
                    query={},
                    content_type="application/json",
                    body=tree,
                )
            )

    def insist(self, method: str, path: str, body: Any) -> Answer:
        """Send what must be accepted."""
        answer = self.send(
            Sent(method=method, path=path, query={}, content_type="application/json", body=body)
        )
        assert answer.code < 300, answer
        return answer

    # ---- requests

    def connect(
        self, label: str, on_message: Callable[[object], None], on_close: Callable[[str], None]
    ) -> Connection:
        """A connection from the user to the server."""
        return self.user.connect(
            Address(self._ip, PORT), label=label, on_message=on_message, on_close=on_close
        )

    def send(self, sent: Sent) -> Answer:
        """The answer to a request, after the dust has settled."""
        try:
            request = to_request(
                sent.method, sent.path, sent.query, sent.content_type, sent.body, user="fuzz"
            )
        except (ApiError, NoSuchPath) as error:
            code, tree = error_answer(error)
            return Answer(code=code, tree=tree)
        if request.verb == "watch":
            return self._watch(request)
        self._count += 1
        number = self._count
        self._link.send(attrs.evolve(request, id=number))
        done = self.world.run_until(lambda: number in self._answers, LONGEST_NS, SETTLE_NS)
        if not done:
            return Answer(code=0, tree=None)
        response = self._answers.pop(number)
        code, tree = answer_of(response)
        obj = response.body if isinstance(response.body, KubeObject) else None
        return Answer(code=code, tree=tree, obj=obj)

    def _on_answer(self, message: object) -> None:
        assert isinstance(message, Response), f"the server said {message!r}"
        self._answers[message.id] = message

    def _watch(self, request: Request) -> Answer:
        heard: list[Any] = []
        connection = self.connect(f"watch/{request.resource}", heard.append, lambda reason: None)
        connection.send(request)
        self.world.run_until(lambda: bool(heard), 8 * SETTLE_NS, SETTLE_NS)
        if connection.is_open:
            connection.close()
        refusals = [one for one in heard if isinstance(one, Response)]
        if refusals:
            code, tree = answer_of(refusals[0])
            return Answer(code=code, tree=tree)
        return Answer(code=200, tree=None, lines=tuple([watch_tree(one) for one in heard]))

    # ---- what there is

    @property
    def revision(self) -> int:
        """etcd's."""
        return self.replica.state.store.revision

    def contents(self) -> dict[str, tuple[object, int]]:
        """Every key under the registry, with what it holds; an object with its resource version."""
        if self._contents[0] == self.revision:
            return self._contents[1]
        asked = etcd.Range(key=ROOT, range_end=etcd.prefix_end(ROOT))
        found = self.replica.state.store.range(asked)
        assert isinstance(found, etcd.RangeResponse)
        held = {
            kv.key: (kv.value, kv.mod_revision if isinstance(kv.value, KubeObject) else 0) for kv in found.kvs
        }
        self._contents = (self.revision, held)
        return held

    def stored(self) -> list[Stored]:
        """The objects in the store."""
        if self._seen[0] != self.revision:
            self._seen = (self.revision, self._list_stored())
        return self._seen[1]

    def _list_stored(self) -> list[Stored]:
        result = []
        for key, (value, revision) in self.contents().items():
            resource = self.resource_at(key)
            if resource is not None and isinstance(value, KubeObject):
                obj = attrs.evolve(
                    value, metadata=attrs.evolve(value.metadata, resource_version=str(revision))
                )
                result.append(
                    Stored(
                        resource=resource,
                        namespace=obj.namespace,
                        name=obj.name,
                        tree=partial(object_tree, obj),
                    )
                )
        return result

    def resource_at(self, key: str) -> Resource | None:
        """Whose objects are under this key."""
        for prefix in (key[: key.rfind("/") + 1], key[: key.rfind("/", 0, key.rfind("/")) + 1]):
            if prefix in self._resources:
                return self._resources[prefix]
        return None

    def objects_of(self, name: str) -> Mapping[tuple[str, str], object]:
        """What etcd holds of a resource: resource versions by namespace and name."""
        return {
            (one.namespace, one.name): one.tree()["metadata"]["resourceVersion"]
            for one in self.stored()
            if one.resource.name == name
        }

    def listed(self, name: str, version: str) -> ObjectList | Any:
        """A list, as objects; or the tree of a refusal."""
        self._count += 1
        number = self._count
        options = ListOptions(resource_version=version)
        self._link.send(Request(id=number, verb="list", resource=name, user="fuzz", options=options))
        self.world.run_until(lambda: number in self._answers, LONGEST_NS, SETTLE_NS)
        body = self._answers.pop(number).body
        return body if isinstance(body, ObjectList) else body_tree(body)


_FURNISHED_LATER: Final = ("namespaces", "customresourcedefinitions", "events.events.k8s.io")


def _stored_resources(server: ApiServer) -> list[Resource]:
    """Every resource that is stored, once: those of several versions by the one that a plain name means."""
    found: dict[str, Resource] = {}
    for one in server.resources.all():
        if "list" in one.verbs and one.plural != "componentstatuses":
            resource = server.resources.resource_of(
                one.name if one.custom else f"{one.plural}.{one.group}" if one.group else one.plural
            )
            found.setdefault(prefix_of(resource), resource)
    return list(found.values())
