"""Which resources there are: the built-in ones and those that CustomResourceDefinitions add.

The real controllers ask the API server for its discovery documents every 30 s; ours watch the definitions and look
at the same moments, so a new resource is seen as late as there. Called by the garbage collector, the namespace and
the quota controller.

Source: cmd/kube-controller-manager/app/controllermanager.go (the deferred discovery mapper, reset every 30 s).

Not modelled: aggregated APIs, and discovery that fails for some groups only.
"""

from __future__ import annotations

from chaoskube.models.controllers.base import ManagerContext
from chaoskube.models.objects import KubeObject, encode, freeze
from chaoskube.models.objects.resources import Resource, Resources, custom_resources
from chaoskube.sim import UsageError

DEFINITIONS = "customresourcedefinitions"


class Discovery:
    """The resources that one controller knows of; `refresh` looks again."""

    def __init__(self, manager: ManagerContext) -> None:
        self._definitions = manager.informer(DEFINITIONS)
        self._known = Resources()
        self._seen: tuple[KubeObject, ...] = ()

    def refresh(self) -> bool:
        """Take over what the watched definitions say now; whether they say anything new."""
        definitions = self._definitions.list()
        if definitions == self._seen:
            return False
        self._seen = definitions
        known = Resources()
        for definition in definitions:
            tree = freeze(encode(definition))
            if _is_established(tree):
                known.put(definition.name, custom_resources(tree["spec"]))
        self._known = known
        return True

    def all(self) -> tuple[Resource, ...]:
        """Every resource."""
        return self._known.all()

    def resource_for(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a kind; None when there is none that could be asked for."""
        try:
            return self._known.resource_for(kind, api_version)
        except UsageError:
            return None

    def resource_of_object(self, obj: KubeObject) -> Resource | None:
        """The resource that holds `obj`."""
        return self.resource_for(obj.api_version, obj.kind)


def preferred(resources: tuple[Resource, ...], verbs: tuple[str, ...]) -> tuple[Resource, ...]:
    """Of several versions of one resource the preferred; only those that have all `verbs`."""
    chosen: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        if not all(verb in resource.verbs for verb in verbs):
            continue
        place = (resource.group, resource.plural)
        held = chosen.get(place)
        # custom ones come with the preferred version first; of the built-in ones only autoscaling has two
        if held is None or (resource.custom is None and resource.api_version > held.api_version):
            chosen[place] = resource
    return tuple(chosen.values())


def _is_established(definition: object) -> bool:
    assert isinstance(definition, dict), f"a definition as a tree, not {definition!r}"
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)
