"""What makes one API server serve custom resources: its registry, the controllers of definitions, and its way to ask itself.

Called by `server.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.api import Response
from chaoskube.models.apiserver.cache_feed import CacheFeed
from chaoskube.models.apiserver.custom.controllers import Controllers, Server
from chaoskube.models.apiserver.custom.registry import Registry
from chaoskube.models.objects.resources import Resources
from chaoskube.sim import Process


class Loopback:
    """The client's end of a request that a server makes to itself: looks like a connection to whoever answers."""

    is_open = True

    def __init__(self, then: Callable[[Response], None]) -> None:
        self._then = then

    def send(self, response: object) -> None:
        """The answer."""
        assert isinstance(response, Response), f"a request is answered with {response!r}"
        self._then(response)

    def close(self) -> None:
        """There is nothing to close."""


class CustomResources:
    """The custom resources of one server, kept as its cache of definitions says."""

    def __init__(
        self,
        process: Process,
        server: Server,
        resources: Resources,
        definitions: CacheFeed,
        drop_cache: Callable[[str], None],
    ) -> None:
        self._registry = Registry(resources, drop_cache)
        self._controllers = Controllers(process, server, self._registry)
        self._definitions = definitions
        definitions.on_change = self._look

    def _look(self) -> None:
        cache = self._definitions.cache
        changed = self._registry.look(cache.select("", None))
        if changed:
            self._controllers.changed(changed)
