"""The audit log: what is journalled of a write that succeeded, by any of the server's handlers.

Source: staging/src/k8s.io/apiserver/pkg/audit. Called by `writes.py`, `subresources.py` and the plug-ins that write.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.apiserver.api import PATCH, UPDATE, Request
from chaoskube.models.apiserver.events import Written
from chaoskube.models.apiserver.flow import Context
from chaoskube.models.apiserver.storage import Saved
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource


def write_recorded(ctx: Context, request: Request, resource: Resource, saved: Saved) -> None:
    """Journal a write: who did what, and which version they meant."""
    subject = saved.obj or saved.prev
    assert subject is not None, f"a write of {resource.name} left nothing behind and took nothing away"
    version, uid = _meant(request)
    ctx.record(
        Written(
            server=ctx.name,
            verb=request.verb,
            resource=resource.plural,
            subresource=request.subresource,
            key=subject.key,
            resource_version=saved.revision,
            obj=saved.obj,
            prev=saved.prev,
            user=request.user,
            requested_version=version,
            uid_asked=uid,
            manager=manager_of(request),
        )
    )


def manager_of(request: Request) -> str:
    """The field manager: as the request says, else the first part of the program's name."""
    return request.field_manager or request.client.partition("/")[0]


def _meant(request: Request) -> tuple[str, str]:
    """The resource version and the uid that the request insists on, "" where it doesn't."""
    wanted = request.delete_options.preconditions
    if wanted is not None:
        return wanted.resource_version or "", wanted.uid or ""
    body = request.body
    if request.verb not in (UPDATE, PATCH) and not request.subresource:  # a binding names its pod's uid
        return "", ""
    if isinstance(body, KubeObject):
        return body.resource_version, body.uid
    metadata = body.get("metadata") if isinstance(body, Mapping) else None
    if not isinstance(metadata, Mapping):
        return "", ""
    return str(metadata.get("resourceVersion") or ""), str(metadata.get("uid") or "")
