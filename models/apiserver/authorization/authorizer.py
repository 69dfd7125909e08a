"""Whether a request may be done: the authorizers of one server, asked in order, and the refusal's words.

`system:masters` may do everything. Then the modes are asked in turn; the first that allows wins, and if none has an
opinion the answer is no.
Sources: pkg/kubeapiserver/authorizer/{config,modes/modes}.go, staging/src/k8s.io/apiserver/pkg/authorization/union/union.go,
staging/src/k8s.io/apiserver/pkg/endpoints/{filters/authorization,handlers/responsewriters/errors,request/requestinfo}.go.

Not modelled: webhook authorizers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from chaoskube.models.apiserver.api import CREATE, DELETE_COLLECTION, LIST, WATCH, Request
from chaoskube.models.apiserver.authentication import MASTERS, Identity
from chaoskube.models.apiserver.authorization.node import NodeAuthorizer, is_lasting
from chaoskube.models.apiserver.authorization.rbac import CACHES, Rbac
from chaoskube.models.apiserver.authorization.rules import Action
from chaoskube.models.apiserver.errors import ApiError, forbidden
from chaoskube.models.apiserver.selection import single_name
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects.resources import Resource

Asked: TypeAlias = tuple[str, tuple[str, ...], str, str, str, str, str]
REMEMBERED_MAX = 4096
ALWAYS_ALLOW = "AlwaysAllow"
NODE = "Node"
RBAC = "RBAC"


class Mode(Protocol):
    """One authorizer."""

    def problem(self, identity: Identity, action: Action) -> str | None:
        """None when the action is allowed; else what the refusal adds to its words ("" for nothing)."""


class Authorizer:
    """The authorizers of one server."""

    def __init__(self, modes: tuple[str, ...], cache: Callable[[str], WatchCache]) -> None:
        self.rbac = Rbac(cache)
        self.allows_all = ALWAYS_ALLOW in modes
        known: dict[str, Mode] = {NODE: NodeAuthorizer(cache), RBAC: self.rbac}
        self._modes = tuple([known[mode] for mode in modes if mode in known])
        self._cache = cache
        self._policy: tuple[WatchCache, ...] = ()
        self._allowed: set[Asked] = set()
        self._allowed_at: tuple[int, ...] = ()

    def remembers(self, request: Request, resource: Resource) -> bool:
        """Whether the same was allowed before, and no rule has changed since."""
        at = tuple([cache.revision for cache in self._policy])
        if at != self._allowed_at:
            self._allowed.clear()
            return False
        return _asked(request, resource) in self._allowed

    def remember(self, request: Request, resource: Resource, identity: Identity, action: Action) -> None:
        """Keep in mind that this was allowed, if nothing but rules decided."""
        if identity.node_name and not is_lasting(action):
            return
        if not self._policy:
            self._policy = tuple([self._cache(name) for name in CACHES])
        self._allowed_at = tuple([cache.revision for cache in self._policy])
        if len(self._allowed) >= REMEMBERED_MAX:
            self._allowed.clear()
        self._allowed.add(_asked(request, resource))

    def refusal(self, identity: Identity, action: Action) -> ApiError | None:
        """403, or None when the action is allowed."""
        problem = self.problem(identity, action)
        return None if problem is None else refused(identity, action, problem)

    def problem(self, identity: Identity, action: Action) -> str | None:
        """None when the action is allowed; else what the refusal adds to its words ("" for nothing)."""
        if self.allows_all or MASTERS in identity.groups:
            return None
        reasons = []
        for mode in self._modes:
            reason = mode.problem(identity, action)
            if reason is None:
                return None
            if reason:
                reasons.append(reason)
        return "\n".join(reasons)


def _asked(request: Request, resource: Resource) -> Asked:
    return (
        request.user,
        request.groups,
        request.verb,
        resource.name,
        request.subresource,
        request.namespace,
        request.name or request.options.field_selector,
    )


def action_of(request: Request, resource: Resource, verb: str = "") -> Action:
    """What a request wants to do, as its path says it: what is created has no name there yet."""
    verb = verb or request.verb
    name = request.name
    if not request.subresource:
        if verb == CREATE:
            name = ""
        elif not name and verb in (LIST, WATCH, DELETE_COLLECTION):
            name = single_name(request.options.field_selector)
    namespace = request.namespace if resource.namespaced else ""
    if resource.name == "namespaces":
        namespace = name
    return Action(
        verb=verb,
        group=resource.group,
        resource=resource.plural,
        subresource=request.subresource,
        namespace=namespace,
        name=name,
        field_selector=request.options.field_selector,
    )


def refused(identity: Identity, action: Action, reason: str) -> ApiError:
    """403: somebody may not do that."""
    where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    why = (
        f'User "{identity.name}" cannot {action.verb} resource "{action.combined}" '
        f'in API group "{action.group}" {where}'
    )
    return forbidden(action.resource, action.group, action.name, f"{why}: {reason}" if reason else why)
