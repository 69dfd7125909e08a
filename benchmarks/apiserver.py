"""How fast one API server works: `python benchmarks/apiserver.py [REQUESTS]` (2,000 when not said).

One etcd member that doesn't wait for its disk, one API server, one client. Prints requests a second by verb, on pods of
one namespace, etcd's part included; then events a second: through a watch cache with five watchers alone, and the
whole way from a write through etcd and the cache into five informers. In seconds of CPU. Asserts nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

from chaoskube.models.apiserver.api import (
    CREATE,
    DELETE,
    GET,
    LIST,
    MERGE,
    PATCH,
    STRATEGIC,
    UPDATE,
    DeleteOptions,
    ListOptions,
    Request,
    Response,
)
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.apiserver.storage import stamped
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watcher import Watcher
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.objects import ConfigMap, FrozenDict, KubeObject, ObjectMeta, decode
from chaoskube.sim import SECOND, Address, DiskTimes, Process, Unsure, World

REQUESTS = 2000
INFORMERS = 5
LISTED = 500
PORT = 6443
NS = "default"


class Bench:
    """A world with a server and a client."""

    def __init__(self, world: World) -> None:
        self.world = world
        address = partial(Address, world.add_host("control").ip)
        boot = partial(boot_member, name="etcd-0", members=["etcd-0"])
        fast = DiskTimes(write_ns=0, sync_ns=0)
        world.process("etcd-0", host="control", boot=boot, disk=fast).start()
        etcd, server = (address(CLIENT_PORT),), (address(PORT),)
        boots: dict[str, Callable[[Process], object]] = {
            "apiserver-0": lambda process: boot_apiserver(process, etcd, PORT),
            "client": lambda process: self._connect(process, server),
        }
        for name, start in boots.items():
            world.process(name, host="control", boot=start).start()
        world.advance(10 * SECOND)

    def _connect(self, process: Process, servers: tuple[Address, ...]) -> None:
        self.client = ApiClient(process, servers, user="bench")

    def ask(self, requests: Iterable[Request]) -> tuple[float, list[Response]]:
        """CPU seconds until all have been answered, and the answers."""
        answers: list[Response] = []

        def heard(outcome: Response | Unsure) -> None:
            assert isinstance(outcome, Response) and outcome.is_success, outcome
            answers.append(outcome)

        asked = list(requests)
        began = time.process_time()
        for request in asked:
            self.client.request(request, heard)
        while len(answers) < len(asked):
            self.world.advance(SECOND // 10)
        return time.process_time() - began, answers


def a_pod(number: int) -> KubeObject:
    """As a Deployment's are."""
    return decode(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"web-{number:05}", "namespace": NS, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:v1"}]},
        }
    )


def verbs(count: int) -> None:
    """One line a verb."""
    names = [f"web-{number:05}" for number in range(count)]
    with World(seed=0) as world:
        bench = Bench(world)

        def line(what: str, requests: Iterable[Request]) -> list[Response]:
            seconds, answers = bench.ask(requests)
            print(f"{what:45} {len(answers) / seconds:10,.0f} requests a second")
            return answers

        def one(verb: str, name: str, **more: object) -> Request:
            return Request(verb=verb, resource="pods", namespace=NS, name=name, **more)  # type: ignore[arg-type]  # fields by name

        pods = [a_pod(number) for number in range(count)]
        made = line("create", [one(CREATE, pod.name, body=pod) for pod in pods])
        line("get, from etcd", [one(GET, name) for name in names])
        line("get, from the cache", [one(GET, name, resource_version="0") for name in names])
        fresh = [
            one(UPDATE, answer.body.name, body=answer.body)
            for answer in made
            if isinstance(answer.body, KubeObject)
        ]
        line("update, nothing new", fresh)
        labels = {"metadata": {"labels": {"a": "b"}}}
        line("patch (merge)", [one(PATCH, name, patch_type=MERGE, body=labels) for name in names])
        status = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        line(
            "patch of the status (strategic)",
            [one(PATCH, name, subresource="status", patch_type=STRATEGIC, body=status) for name in names],
        )
        few = max(1, count // LISTED)
        lists = [one(LIST, "") for _ in range(few)]
        line(f"list of {count:,}, consistent", lists)
        stale = ListOptions(resource_version="0")
        line(
            f"list of {count:,}, from the cache as it is", [one(LIST, "", options=stale) for _ in range(few)]
        )
        pages = ListOptions(limit=LISTED)
        line(f"page of {LISTED}", [one(LIST, "", options=pages) for _ in range(few)])
        now = DeleteOptions(grace_period_seconds=0)
        line("delete", [one(DELETE, name, delete_options=now) for name in names])


def through_a_cache(count: int) -> None:
    """The watch cache alone: apply a change, and show it to five watchers."""
    prefix = "/registry/configmaps/"
    cache = WatchCache(kind="ConfigMap", api_version="v1")
    cache.replace([], 1)
    for number in range(INFORMERS):
        watcher = Watcher(
            id=number,
            prefix=prefix,
            exact=False,
            matches=None,
            after=1,
            bookmarks=True,
            bookmark_at=SECOND,
            ends_at=2 * SECOND,
        )
        cache.add_watcher(watcher, initial_state=True)
    objects = [
        (f"{prefix}{NS}/c-{number % 100}", stamped(a_config(number), number + 2)) for number in range(count)
    ]
    began = time.process_time()
    told = 0
    for revision, (key, obj) in enumerate(objects, 2):
        told += len(cache.dispatch(cache.apply(key, obj, revision, revision)))
    seconds = time.process_time() - began
    print(f"{'a cache with five watchers':45} {count / seconds:10,.0f} events a second   ({told:,} told)")


def a_config(number: int) -> KubeObject:
    """A small object."""
    metadata = ObjectMeta(name=f"c-{number % 100}", namespace=NS)
    return ConfigMap(metadata=metadata, data=FrozenDict({"n": str(number)}))


def through_everything(count: int) -> None:
    """From the write to the handlers of five informers."""
    with World(seed=0) as world:
        bench = Bench(world)
        heard = 0

        def on_any(*_: object) -> None:
            nonlocal heard
            heard += 1

        for _ in range(INFORMERS):
            informer = Informer(bench.client, "configmaps", namespace=NS)
            informer.add_handler(on_add=on_any, on_update=on_any)
            informer.start()
        world.advance(5 * SECOND)
        heard = 0
        made = [
            Request(verb=CREATE, resource="configmaps", namespace=NS, body=a_config(n)) for n in range(100)
        ]
        bench.ask(made)
        changes = [
            Request(
                verb=PATCH,
                resource="configmaps",
                namespace=NS,
                name=f"c-{number % 100}",
                patch_type=MERGE,
                body={"data": {"n": f"x{number}"}},
            )
            for number in range(count)
        ]
        heard = 0
        began = time.process_time()
        bench.ask(changes)
        while heard < count * INFORMERS:
            world.advance(SECOND // 10)
        seconds = time.process_time() - began
    print(
        f"{'a write, etcd, the cache, five informers':45} {count / seconds:10,.0f} events a second   "
        f"({heard / seconds:,.0f} handled)"
    )


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    verbs(count)
    through_a_cache(20 * count)
    through_everything(count)


if __name__ == "__main__":
    main()
