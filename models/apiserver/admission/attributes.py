"""What a plug-in is told of a request, and the refusal that it may answer with. Values only.

Source: staging/src/k8s.io/apiserver/pkg/admission/{interfaces,attributes,errors}.go. Made by `writes.py` and
`deletes`, handed from plug-in to plug-in by `chain.py`; a mutating plug-in returns the next version of it.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.authentication import Identity
from chaoskube.models.apiserver.errors import ApiError, forbidden
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"
CONNECT = "CONNECT"


@frozen
class Target:
    """What is done to which resource: all that decides which plug-ins are asked."""

    operation: str
    resource: str
    subresource: str = ""

    def is_on(self, resource: str, *operations: str) -> bool:
        """Whether it is one of these operations on the resource itself."""
        return not self.subresource and self.resource == resource and self.operation in operations


@define
class Reinvocation:
    """What mutating webhooks must know of their first round, should there be a second."""

    is_second: bool = False
    is_wanted: bool = False
    """A webhook changed the object: everybody has another look."""
    invoked: list[str] = field(factory=list)
    """Webhooks that were asked and don't mind being asked again."""
    required: list[str] = field(factory=list)
    """Those of them that are to be asked again."""
    output: KubeObject | None = None
    """What the webhooks left behind."""

    def require_all(self) -> None:
        """The object has changed since they were asked."""
        self.required += self.invoked
        self.invoked = []


@frozen(kw_only=True)
class Attributes:
    """One object on its way into the store (`obj` is None in a DELETE, `old` in a CREATE)."""

    operation: str
    resource: Resource
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    obj: KubeObject | None = None
    old: KubeObject | None = None
    identity: Identity
    dry_run: bool = False
    warnings: list[str] = field(factory=list, eq=False)
    """What the answer will warn of: the one thing that plug-ins write to."""
    reinvocation: Reinvocation = field(factory=Reinvocation, eq=False)

    @property
    def target(self) -> Target:
        """What decides which plug-ins are asked."""
        return Target(self.operation, self.resource.name, self.subresource)

    def with_object(self, obj: KubeObject) -> Attributes:
        """The same request with another object."""
        return self if obj is self.obj else evolve(self, obj=obj)

    def forbidden(self, why: str, causes: tuple[Cause, ...] = ()) -> ApiError:
        """403 as admission says it: before a name is generated the object goes by the beginning of its name."""
        name = self.name
        if not name and self.obj is not None:
            name = self.obj.name or self.obj.metadata.generate_name or ""
        return forbidden(self.resource.plural, self.resource.group, name or "Unknown", why, causes)
