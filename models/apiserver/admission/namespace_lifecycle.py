"""NamespaceLifecycle: nothing new in a namespace that is missing or ending, and three namespaces never end.

A namespace that the server's cache doesn't hold is waited for (50 ms), then asked of etcd. The server that was told to
delete a namespace doesn't trust its own cache on it for 30 s; other servers may go on admitting objects until
they hear that it is Terminating, which is why the namespace controller waits 5 s.
Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.

Not modelled: the look at the namespace before updates (what is updated exists, and so does its namespace).
"""

from __future__ import annotations

from chaoskube.models.apiserver.admission.attributes import CREATE, DELETE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.errors import not_found
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.storage import read
from chaoskube.models.objects import KubeObject, Namespace
from chaoskube.sim import MILLISECOND, SECOND

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")
MISSING_WAIT_NS = 50 * MILLISECOND
FORCED_LIVE_NS = 30 * SECOND


class NamespaceLifecycle(Plugin):
    """Asks for the namespace of everything new."""

    name = "NamespaceLifecycle"

    def __init__(self) -> None:
        self._distrusted_until: dict[str, int] = {}

    def admits(self, target: Target) -> bool:
        """What is new in a namespace, and the end of a namespace."""
        return target.operation == CREATE or target.is_on("namespaces", DELETE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """Refuses what has no living namespace."""
        if attributes.resource.plural == "namespaces":
            if attributes.operation == DELETE:
                self._ending(ctx, attributes)
        elif attributes.namespace:
            yield from self._namespace_lives(ctx, attributes)
        return attributes

    def _ending(self, ctx: Context, attributes: Attributes) -> None:
        if attributes.name in IMMORTAL_NAMESPACES:
            raise attributes.forbidden("this namespace may not be deleted")
        self._distrusted_until[attributes.name] = ctx.wall_ns() + FORCED_LIVE_NS

    def _namespace_lives(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        name = attributes.namespace
        key = namespace_key(name)
        cache = yield from synced(ctx, attributes, "namespaces")
        found = cache.get(key)
        if found is None:
            yield Pause(MISSING_WAIT_NS)
            found = cache.get(key)
        if found is None or (_is_active(found) and self._is_distrusted(ctx, name)):
            found = yield from read(key)
        if found is None:
            raise not_found("namespaces", "", name)
        if not _is_active(found):
            why = f"unable to create new content in namespace {name} because it is being terminated"
            cause = Cause(
                reason="NamespaceTerminating",
                message=f"namespace {name} is being terminated",
                field="metadata.namespace",
            )
            raise attributes.forbidden(why, (cause,))

    def _is_distrusted(self, ctx: Context, name: str) -> bool:
        return self._distrusted_until.get(name, 0) > ctx.wall_ns()


def namespace_key(name: str) -> str:
    """Where a namespace is stored."""
    return f"/registry/namespaces/{name}"


def _is_active(namespace: KubeObject) -> bool:
    assert isinstance(namespace, Namespace), f"a namespace, not {namespace!r}"
    return namespace.status.phase != "Terminating"
