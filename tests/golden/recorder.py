"""The player's recorder: watches what the recording watched, and what a scenario watches on purpose.

As the recordings' own: one watch a kind, opened again when it breaks, from the last version seen, or from the start
when the server says that this is too old. Who calls it: `player`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaoskube.models.apiserver.api import ListOptions, Status, WatchEvent
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.paths import NoSuchPath, body_tree, status_tree, to_request
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.watching import WatchHandle
from chaoskube.models.objects.resources import Resource, resource_for
from chaoskube.sim import MILLISECOND, Process

from .recording import OwnWatch, OwnWatchEnd, OwnWatchStart, Record, WatchBroken, Watched, WatchError
from .trees import Tree, as_tree, text

REOPENED_AFTER = 100 * MILLISECOND
CHANGES = ("ADDED", "MODIFIED", "DELETED")


class Recorder:
    """Writes down what its watches show. `time` is the recording's clock; nothing is written before its t=0."""

    def __init__(self, process: Process, client: ApiClient, time: Callable[[], float]) -> None:
        self._process = process
        self._client = client
        self._time = time
        self.seen: list[Watched] = []
        self.others: list[Record] = []
        """What befell watches, and the events of those that the scenario opened."""
        self._versions: dict[str, int] = {}
        self._own: dict[str, WatchHandle] = {}

    # -- one watch a kind

    def watch(self, kind: str, resource: Resource, namespace: str) -> None:
        """Watch a kind from now on."""
        version = self._versions.get(kind)
        selector = f"metadata.name={namespace}" if kind == "Namespace" else ""
        self._client.watch(
            resource.name,
            namespace if resource.namespaced else "",
            ListOptions(resource_version=str(version) if version else "", field_selector=selector),
            lambda event: self._on_event(kind, event),
            lambda reason: self._on_end(kind, resource, namespace, reason),
        )

    def _on_event(self, kind: str, event: WatchEvent) -> None:
        if event.type not in CHANGES or isinstance(event.object, Status):
            return
        tree = body_tree(event.object)
        meta = dict(as_tree(tree["metadata"]))
        meta.pop("managedFields", None)
        version = int(text(meta, "resourceVersion"))
        self._versions[kind] = max(self._versions.get(kind, 0), version)
        if self._time() < 0:
            return
        self.seen.append(
            Watched(
                t=self._time(),
                type=event.type,
                kind=kind,
                ns=text(meta, "namespace") or None,
                name=text(meta, "name"),
                rv=version,
                object={**tree, "metadata": meta},
            )
        )

    def _on_end(self, kind: str, resource: Resource, namespace: str, reason: Status | str) -> None:
        if isinstance(reason, Status):
            if reason.code == 410:
                self._versions.pop(kind, None)
            self.others.append(WatchError(t=self._time(), kind=kind, object=status_tree(reason)))
        elif reason != "refused":
            self.others.append(WatchBroken(t=self._time(), kind=kind, reason="eof"))
        self._process.call_later(REOPENED_AFTER, self.watch, kind, resource, namespace)

    # -- watches of the scenario's own

    def open_own(self, start: OwnWatchStart, path: str, query: Tree) -> None:
        """Open a watch as the scenario did."""
        label = start.label
        self.others.append(OwnWatchStart(t=self._time(), label=label, path=path, query=query))
        texts = {key: str(value) for key, value in query.items()}
        try:
            request = to_request("GET", path, {**texts, "watch": "1"})
        except (ApiError, NoSuchPath) as error:
            self._own_ended(label, str(error))
            return
        self._own[label] = self._client.watch(
            request.resource,
            request.namespace,
            request.options,
            lambda event: self._own_event(label, event),
            lambda reason: self._own_ended(label, reason),
        )

    def _own_event(self, label: str, event: WatchEvent) -> None:
        self._own_told(label, event.type, body_tree(event.object))

    def _own_told(self, label: str, kind: str, tree: Tree) -> None:
        self.others.append(OwnWatch(t=self._time(), label=label, type=kind, object=_without_managed(tree)))

    def _own_ended(self, label: str, reason: Status | str) -> None:
        if isinstance(reason, Status):
            self._own_told(label, "ERROR", status_tree(reason))
        self._own.pop(label, None)
        self.others.append(OwnWatchEnd(t=self._time(), label=label, reason="eof"))

    def close_own(self, label: str) -> None:
        """Close it, if it runs still."""
        handle = self._own.pop(label, None)
        if handle is not None:
            handle.cancel()
            self.others.append(OwnWatchEnd(t=self._time(), label=label, reason="eof"))


def with_all_starts(records: Sequence[Record]) -> list[Record]:
    """The records, with a start for each watch of one object that a scenario's script ran beside it without a word."""
    known = {record.label for record in records if isinstance(record, OwnWatchStart)}
    found: list[Record] = []
    for record in records:
        if isinstance(record, OwnWatch) and record.label not in known:
            known.add(record.label)
            meta, api_version = as_tree(record.object.get("metadata")), text(record.object, "apiVersion")
            resource = resource_for(text(record.object, "kind"), api_version)
            root = "/apis" if "/" in api_version else "/api"
            path = f"{root}/{api_version}/namespaces/{text(meta, 'namespace')}/{resource.plural}"
            query: Tree = {"fieldSelector": f"metadata.name={text(meta, 'name')}"}
            found.append(OwnWatchStart(t=record.t, label=record.label, path=path, query=query))
        found.append(record)
    return found


def _without_managed(tree: Tree) -> Tree:
    meta = {key: value for key, value in as_tree(tree.get("metadata")).items() if key != "managedFields"}
    return {**tree, "metadata": meta} if "metadata" in tree else tree
