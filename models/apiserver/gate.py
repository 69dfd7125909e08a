"""What every request passes before it is handled: who asks, is there a seat, may they.

In the real order: authentication, priority and fairness, authorization; so a request may wait for a seat and only then
be refused. The shell calls `admit_request` first, and `done` when the flow has ended: a watch gives its seat back once
it is under way. Source: staging/src/k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.authentication import Identity, identify
from chaoskube.models.apiserver.authorization.authorizer import Authorizer, action_of
from chaoskube.models.apiserver.authorization.rules import Action
from chaoskube.models.apiserver.errors import too_many_requests
from chaoskube.models.apiserver.events import Denied
from chaoskube.models.apiserver.fairness import Fairness, Level, Ticket, flow_of
from chaoskube.models.apiserver.fairness_table import Schema, schema_of
from chaoskube.models.apiserver.flow import Flow, Outcome, Until
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND, Process, reached

QUEUE_WAIT_NS: Final = 15 * SECOND
"""A quarter of the request's time."""
RETRY_AFTER_SECONDS: Final = 1
REMEMBERED_MAX: Final = 4096
TOO_MANY: Final = "Too many requests, please try again later."


@frozen
class Lane:
    """How requests of one user for one thing go through."""

    identity: Identity
    schema: Schema
    level: Level


class Gate:
    """The gate of one server."""

    def __init__(self, process: Process, options: ServerOptions, cache: Callable[[str], WatchCache]) -> None:
        self.authorizer = Authorizer(options.authorization, cache)
        self.fairness = Fairness(options.seats)
        self._process = process
        self._lanes: dict[tuple[str, tuple[str, ...], str, str, str], Lane] = {}

    def admit_request(self, request: Request, resource: Resource) -> Flow[Level]:
        """Let a request in: the level whose seat it has, to be given to `done`. ApiError when it may not."""
        lane = self._lane(request, resource)
        level = lane.level
        if not level.take():
            yield from self._queue(level, flow_of(lane.schema, lane.identity, request.namespace))
        authorizer = self.authorizer
        if not authorizer.allows_all and not authorizer.remembers(request, resource):
            action = action_of(request, resource)
            refusal = authorizer.refusal(lane.identity, action)
            if refusal is not None:
                self.done(level)
                self._process.record(self._denied(lane.identity, action))
                raise refusal
            authorizer.remember(request, resource, lane.identity, action)
        return level

    def authorize(self, request: Request, resource: Resource, verb: str) -> None:
        """What a request does besides what it is called: a PUT that creates has to be allowed to. ApiError if not."""
        if self.authorizer.allows_all:
            return
        identity = identify(request.user, request.groups)
        action = action_of(request, resource, verb)
        refusal = self.authorizer.refusal(identity, action)
        if refusal is not None:
            self._process.record(self._denied(identity, action))
            raise refusal

    def _lane(self, request: Request, resource: Resource) -> Lane:
        """Who asks, and with which priority; remembered, since components ask for the same all the time."""
        key = (request.user, request.groups, request.verb, resource.name, request.subresource)
        lane = self._lanes.get(key)
        if lane is None:
            identity = identify(request.user, request.groups)
            asked = f"{resource.plural}/{request.subresource}" if request.subresource else resource.plural
            schema = schema_of(identity, request.verb, resource.group, asked)
            lane = Lane(identity, schema, self.fairness.levels[schema.level])
            if len(self._lanes) >= REMEMBERED_MAX:
                self._lanes.clear()
            self._lanes[key] = lane
        return lane

    def done(self, level: Level) -> None:
        """A request has been handled: its seat is free."""
        ticket = level.release()
        if ticket is not None:
            assert callable(ticket.wake), "who waits for a seat says how it is woken"
            ticket.wake(True)

    def _denied(self, identity: Identity, action: Action) -> Denied:
        return Denied(
            server=self._process.name,
            user=identity.name,
            verb=action.verb,
            group=action.group,
            resource=action.combined,
            namespace=action.namespace,
            name=action.name,
        )

    def _queue(self, level: Level, flow: str) -> Flow[None]:
        ticket = level.enqueue(flow)
        if ticket is None:
            reached("apiserver: 429, no seat and no place in a queue")
            raise too_many_requests(TOO_MANY, RETRY_AFTER_SECONDS)
        reached("apiserver: a request waits for a seat")
        has_seat = yield Until(lambda resume: self._wait(level, ticket, resume))
        if not has_seat:
            reached("apiserver: 429, waited too long for a seat")
            raise too_many_requests(TOO_MANY, RETRY_AFTER_SECONDS)

    def _wait(self, level: Level, ticket: Ticket, resume: Callable[[Outcome], None]) -> None:
        def give_up() -> None:
            level.leave(ticket)
            resume(False)

        timer = self._process.call_later(QUEUE_WAIT_NS, give_up)

        def wake(outcome: Outcome) -> None:
            timer.cancel()
            # not at once: whoever gives the seat back is still being handled
            self._process.call_later(0, resume, outcome)

        ticket.wake = wake
