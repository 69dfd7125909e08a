"""Keeps what a server serves as its cache of definitions says, and tells the controllers of definitions what moved.

A definition whose spec or accepted names change gets new resources, and what was cached under the old ones is thrown away:
watches end, clients list anew and see the new schema. A definition that is gone takes its resources along; from then on their
paths are unknown, 404.

Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (updateCustomResourceDefinition,
removeDeadStorage).

Called by `server.py`, whenever the cache of definitions has changed.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.custom.definitions import served_resources
from chaoskube.models.objects import CustomResourceDefinition, KubeObject
from chaoskube.models.objects.resources import Resources


class Registry:
    """The custom resources of one server."""

    def __init__(self, resources: Resources, drop_cache: Callable[[str], None]) -> None:
        self._resources = resources
        self._drop_cache = drop_cache
        self._known: dict[str, CustomResourceDefinition] = {}

    def known(self) -> tuple[CustomResourceDefinition, ...]:
        """The definitions, as of the last look."""
        return tuple(self._known.values())

    def get(self, name: str) -> CustomResourceDefinition | None:
        """One definition, as of the last look."""
        return self._known.get(name)

    def look(self, definitions: list[tuple[str, KubeObject]]) -> tuple[str, ...]:
        """Take over what the cache holds now; the names of the definitions that changed, came or went."""
        newest = {obj.name: obj for _, obj in definitions if isinstance(obj, CustomResourceDefinition)}
        before, self._known = self._known, newest
        changed = [name for name, one in newest.items() if before.get(name) is not one]
        gone = [name for name in before if name not in newest]
        for name in changed:
            self._serve(name, before.get(name), newest[name])
        for name in gone:
            self._replace(name)
        return (*changed, *gone)

    def _serve(
        self, name: str, before: CustomResourceDefinition | None, now: CustomResourceDefinition
    ) -> None:
        """New resources only where something moved that they hang on: a change of status alone ends no watch."""
        is_same = before is not None and (before.uid, before.spec, before.status.accepted_names) == (
            now.uid,
            now.spec,
            now.status.accepted_names,
        )
        is_served = bool(self._resources.of_definition(name))
        if not is_same or is_served != bool(served_resources(now)):
            self._replace(name, now)

    def _replace(self, name: str, now: CustomResourceDefinition | None = None) -> None:
        old = self._resources.of_definition(name)
        self._resources.put(name, () if now is None else served_resources(now))
        for resource in old:
            self._drop_cache(resource.name)
