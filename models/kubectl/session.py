"""One person's kubectl, and what all its verbs share: finding the resource of a kind, and whole objects as trees.

kubectl works on JSON trees, whatever it knows of a kind: what it has no field for, it carries. A `Target` names one
object as `deployment/web` does on a command line.

Source: staging/src/k8s.io/cli-runtime/pkg/resource/helper.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, field, frozen

from chaoskube.models.apiserver.api import (
    CREATE,
    GET,
    JSON,
    MERGE,
    PATCH,
    STRATEGIC,
    UPDATE,
    DeleteOptions,
    Request,
    Response,
    Status,
)
from chaoskube.models.client.api import ApiClient
from chaoskube.models.objects import KubeObject, encode, freeze, thaw
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.resources import Resource, Resources
from chaoskube.sim import Process, Refused

DEFAULT_NAMESPACE = "default"


class CommandFailed(Refused):
    """kubectl itself says no, before or after it asked the server."""

    def __init__(self, message: str) -> None:
        super().__init__(Status(code=400, reason="KubectlError", message=message))

    def __str__(self) -> str:
        assert isinstance(self.status, Status), "made above"
        return self.status.message


@frozen(kw_only=True)
class Target:
    """One object, by resource (`deployments`), namespace ("" for cluster-wide ones) and name."""

    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.resource}/{self.name}"


@frozen
class Kubectl:
    """A process, its client, and the resources that it found out about."""

    process: Process
    client: ApiClient
    resources: Resources = field(default=Factory(lambda self: self.client.resources, takes_self=True))

    def resource_of(self, tree: Mapping[str, Any]) -> Resource:
        """The resource that holds objects of a tree's kind."""
        return self.resources.resource_for(str(tree.get("kind", "")), str(tree.get("apiVersion", "")))

    def target_of(self, tree: Mapping[str, Any]) -> Target:
        """The object that a document is about; without a namespace it goes to the default one."""
        resource = self.resource_of(tree)
        metadata = tree.get("metadata") or {}
        namespace = (metadata.get("namespace") or DEFAULT_NAMESPACE) if resource.namespaced else ""
        return Target(resource=resource.name, namespace=namespace, name=str(metadata.get("name") or ""))

    def is_custom(self, target: Target) -> bool:
        """Whether only the server knows its schema: then patches of it are JSON merge patches."""
        return self.resources.resource_of(target.resource).custom is not None

    def document(self, given: KubeObject | Mapping[str, Any]) -> Tree:
        """A document as kubectl reads it: with its namespace filled in."""
        tree = encode(given) if isinstance(given, KubeObject) else _thawed(given)
        namespace = self.target_of(tree).namespace
        if namespace:
            tree.setdefault("metadata", {}).setdefault("namespace", namespace)
        return tree

    # -- requests

    async def get(self, target: Target, *, subresource: str = "") -> Tree:
        """The live object."""
        return tree_of(await self.client.call(_request(GET, target, subresource=subresource)))

    async def find(self, target: Target) -> Tree | None:
        """The live object; None when there is none."""
        answer = await self.client.answer(_request(GET, target))
        if answer.code == 404 and isinstance(answer.body, Status) and answer.body.reason == "NotFound":
            return None
        return tree_of(self.client.checked(answer))

    async def create(self, tree: Mapping[str, Any], *, manager: str = "") -> Tree:
        """POST; a version in the document is left out."""
        target = self.target_of(tree)
        body = _thawed(tree)
        body["metadata"] = {k: v for k, v in body.get("metadata", {}).items() if k != "resourceVersion"}
        return tree_of(await self.client.call(_request(CREATE, target, body=body, manager=manager)))

    async def replace(
        self, target: Target, tree: Mapping[str, Any], *, subresource: str = "", manager: str = ""
    ) -> Tree:
        """PUT."""
        request = _request(UPDATE, target, body=tree, subresource=subresource, manager=manager)
        return tree_of(await self.client.call(request))

    async def patch(
        self,
        target: Target,
        patch: Mapping[str, Any] | tuple[Any, ...],
        *,
        type: str = STRATEGIC,
        subresource: str = "",
        manager: str = "",
        force: bool = False,
    ) -> Tree:
        """PATCH."""
        request = _request(
            PATCH,
            target,
            body=patch,
            type=type,
            subresource=subresource,
            manager=manager,
            force=force,
        )
        return tree_of(await self.client.call(request))

    async def delete(self, target: Target, options: DeleteOptions) -> str:
        """DELETE; the uid of what went, or will go."""
        request = Request(
            verb="delete",
            resource=target.resource,
            namespace=target.namespace,
            name=target.name,
            delete_options=options,
        )
        body = (await self.client.call(request)).body
        if isinstance(body, Status):
            return body.uid
        assert isinstance(body, KubeObject), f"a delete answers with an object or a Status, not {body!r}"
        return body.uid


def _request(
    verb: str,
    target: Target,
    *,
    body: Mapping[str, Any] | tuple[Any, ...] | None = None,
    type: str = "",
    subresource: str = "",
    manager: str = "",
    force: bool = False,
) -> Request:
    return Request(
        verb=verb,
        resource=target.resource,
        namespace=target.namespace,
        name=target.name,
        subresource=subresource,
        body=freeze(body) if body is not None else None,
        patch_type=type,
        field_manager=manager,
        force=force,
    )


def tree_of(answer: Response) -> Tree:
    """The object of an answer, as a tree of one's own."""
    body = answer.body
    if isinstance(body, KubeObject):
        return encode(body)
    raise CommandFailed(f"the server answered with {body!r} instead of an object")


def at(tree: Mapping[str, Any], *path: str) -> Any:
    """What stands there; None where nothing does."""
    found: Any = tree
    for step in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def _thawed(tree: Mapping[str, Any]) -> Tree:
    thawed: Tree = thaw(tree)
    return thawed


__all__ = ["JSON", "MERGE", "STRATEGIC", "CommandFailed", "Kubectl", "Target", "at"]
