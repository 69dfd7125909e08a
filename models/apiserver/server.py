"""The API server's shell: connections in, flows carried out, watches served; several may run, sharing only etcd.

A request costs 1 ms of handling, then its flow runs: what it yields is asked of etcd or of a cache, and its end is
the answer. After 60 s the client gets 504, while the flow goes on: the write may still happen. Reads are repeated
until then when etcd's member is in trouble, writes only if they were never sent: else nobody knows what they did.
The caches of `CACHED_AT_BOOT` are filled at boot, others when first asked for.
Sources: staging/src/k8s.io/apiserver/pkg/server/{config,filters/timeout}.go, pkg/endpoints/handlers/get.go (watch
time-outs), go.etcd.io/etcd/client/v3/retry_interceptor.go.

Not modelled: OpenAPI and discovery documents,
`/livez`, graceful shutdown of a server.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final, cast

from chaoskube.models.apiserver import handlers
from chaoskube.models.apiserver.admission import PLUGINS, SYSTEM_NAMESPACES, Chain
from chaoskube.models.apiserver.api import (
    API_PORT,
    DISCOVER,
    WATCH,
    WRITE_VERBS,
    Request,
    Response,
    Status,
)
from chaoskube.models.apiserver.authorization.authorizer import RBAC
from chaoskube.models.apiserver.authorization.bootstrap import store_default_policy
from chaoskube.models.apiserver.authorization.escalation import EscalationCheck
from chaoskube.models.apiserver.authorization.rbac import CACHES as POLICY_CACHES
from chaoskube.models.apiserver.cache_feed import CacheFeed
from chaoskube.models.apiserver.compaction import Round, compact
from chaoskube.models.apiserver.custom.requests import DEFINITIONS, discover
from chaoskube.models.apiserver.custom.serving import CustomResources, Loopback
from chaoskube.models.apiserver.custom.versions import read_custom, served
from chaoskube.models.apiserver.errors import ApiError, timeout
from chaoskube.models.apiserver.events import Rejected
from chaoskube.models.apiserver.flow import Effect, Flow, Outcome, Pause, Until, UntilCached
from chaoskube.models.apiserver.gate import Gate
from chaoskube.models.apiserver.keys import UNCACHED, prefix_of
from chaoskube.models.apiserver.server_options import PERMISSIVE, ServerOptions
from chaoskube.models.apiserver.storage import from_kv
from chaoskube.models.apiserver.tokens import authenticated
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watches import Watches
from chaoskube.models.apiserver.webhook_calls import WebhookCaller
from chaoskube.models.apiserver.writes import Done
from chaoskube.models.constants import API_REQUEST_TIMEOUT, COMPACTION_PERIOD, REQUEST_HANDLING
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.objects import Namespace, ObjectMeta
from chaoskube.models.objects.resources import Resource, Resources
from chaoskube.sim import MILLISECOND, SECOND, Address, Connection, Process, Unsure, reached

ETCD_RETRY_NS: Final = 100 * MILLISECOND
CACHED_AT_BOOT: Final = (
    "pods",
    "replicasets",
    "deployments",
    "services",
    "endpointslices",
    "nodes",
    "leases",
    "configmaps",
    "namespaces",
    "priorityclasses",
    "serviceaccounts",
    "limitranges",
    "resourcequotas",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    DEFINITIONS,
)
"""A real server fills all its caches at boot; here the others wait until somebody asks for them."""
BOOTSTRAP_RETRY_NS: Final = 1 * SECOND
COMPACTION_POLL: Final = 15 * SECOND  # storage/cacher/compactor.go compactorPollPeriod


def boot_apiserver(
    process: Process,
    etcd_endpoints: tuple[Address, ...],
    port: int = API_PORT,
    options: ServerOptions = PERMISSIVE,
) -> ApiServer:
    """Start an API server on `process`; everything it knows it reads from etcd."""
    return ApiServer(process, etcd_endpoints, port, options)


class Run:
    """One flow under way, and who waits for its end."""

    __slots__ = ("connection", "deadline", "flow", "is_answered", "request")

    def __init__(
        self, flow: Flow[Done | None], request: Request, connection: Connection, deadline: int
    ) -> None:
        self.flow = flow
        self.request = request
        self.connection = connection
        self.deadline = deadline
        self.is_answered = False


class ApiServer:
    """One server in one life of its process. Also the Context of its handlers."""

    def __init__(
        self, process: Process, etcd_endpoints: tuple[Address, ...], port: int, options: ServerOptions
    ) -> None:
        self.name = process.name
        self.rng: Random = process.rng
        self.resources = Resources()
        plugins = [plugin() for plugin in PLUGINS if options.has_plugin(plugin.name)]
        self.admission = Chain((*plugins, EscalationCheck()))
        self.gate = Gate(process, options, self.cache)
        self._event_window = options.event_window
        self.webhooks = WebhookCaller(process, self.cache)
        self._process = process
        self._client = EtcdClient(process, etcd_endpoints)
        self._feeds: dict[str, CacheFeed] = {}
        self._no_cache = WatchCache(kind="", api_version="")
        self._watches = Watches(self, process, self._client, self._feed)
        for name in CACHED_AT_BOOT:
            self._feed(name)
        CustomResources(process, self, self.resources, self._feed(DEFINITIONS), self._drop_feed)
        process.call_later(COMPACTION_PERIOD, self._compact, Round())
        self._port = port
        self._has_policy = RBAC in options.authorization
        if not self._has_policy:
            process.listen(port, self._on_connect)
        self._bootstrap_when_filled()

    # ---- Context

    def wall_ns(self) -> int:
        """The server's wall clock."""
        return self._process.wall_ns()

    @property
    def now(self) -> int:
        """Virtual time."""
        return self._process.now

    def cache(self, resource: str) -> WatchCache:
        """This server's copy of a resource; of what has none, an empty one that is never ready."""
        feed = self._feeds.get(resource)
        if feed is not None:
            return feed.cache
        if resource in UNCACHED or not self.resources.knows(resource):
            return self._no_cache
        return self._feed(resource).cache

    def record(self, event: object) -> None:
        """Into the journal."""
        self._process.record(event)

    def _feed(self, plural: str) -> CacheFeed:
        feed = self._feeds.get(plural)
        if feed is None:
            resource = self.resources.resource_of(plural)
            first = self._feeds.get(CACHED_AT_BOOT[0])
            since = first.cache.filled_at if first is not None else 0
            read = from_kv
            if resource.custom is not None:
                since, read = 0, partial(read_custom, resource=resource, resources=self.resources)
            prefix, window = prefix_of(resource), self._event_window
            feed = CacheFeed(self._process, self._client, resource, prefix, since, read, window)
            self._feeds[plural] = feed
        return feed

    def _drop_feed(self, name: str) -> None:
        feed = self._feeds.pop(name, None)
        if feed is not None:
            feed.close()

    # ---- requests

    def _on_connect(self, connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request), f"{self.name} was sent {message!r}"
            self._process.call_later(REQUEST_HANDLING, self._begin, message, connection)

        connection.on_message = on_message

    def _begin(self, request: Request, connection: Connection) -> None:
        if request.verb == WATCH:
            flow: Flow[Done | None] = _watched(self, self._watches, request, connection)
        else:
            flow = _handled(self, request)
        self._begin_flow(flow, request, connection)

    def _begin_flow(self, flow: Flow[Done | None], request: Request, connection: Connection) -> None:
        run = Run(flow, request, connection, self._process.now + API_REQUEST_TIMEOUT)
        timer = self._process.call_at(run.deadline, self._time_is_up, run)
        self._advance(run, None)
        if run.is_answered:
            timer.cancel()

    def _advance(self, run: Run, outcome: Outcome) -> None:
        try:
            effect = run.flow.send(outcome)
        except StopIteration as end:
            if end.value is not None:
                self._answer(run, end.value)
            run.is_answered = True
        except ApiError as error:
            self._refuse(run, error.status)
        else:
            self._carry_out(run, effect)

    def _carry_out(self, run: Run, effect: Effect) -> None:
        if isinstance(effect, UntilCached):
            if not self.resources.knows(effect.resource):
                self._advance(run, False)  # its definition went meanwhile
                return
            feed = self._feed(effect.resource)
            feed.wait_for(effect.revision, lambda seen: self._advance(run, seen))
        elif isinstance(effect, Pause):
            self._process.call_later(effect.duration_ns, self._advance, run, None)
        elif isinstance(effect, Until):
            effect.begin(lambda outcome: self._advance(run, outcome))
        else:
            self._ask_etcd(run, effect)

    def _ask_etcd(self, run: Run, effect: etcd.Request) -> None:
        def on_done(outcome: etcd.Response | etcd.EtcdError | Unsure) -> None:
            if _is_worth_repeating(effect, outcome) and self._process.now < run.deadline:
                reached("apiserver: asked etcd again")
                self._process.call_later(ETCD_RETRY_NS, self._ask_etcd, run, effect)
            else:
                self._advance(run, outcome)

        # as long as the client may wait: a dead member is found out by keep-alive or by its peers, not by us
        remaining = max(run.deadline - self._process.now, SECOND)
        self._client.request(effect, on_done, remaining)

    def _time_is_up(self, run: Run) -> None:
        if not run.is_answered:
            reached("apiserver: 504 while the request goes on")
            error = timeout("request did not complete within the allotted timeout")
            self._refuse(run, error.status)

    def _answer(self, run: Run, done: Done) -> None:
        if run.is_answered:
            return
        run.is_answered = True
        response = Response(id=run.request.id, code=done.code, body=done.body, warnings=done.warnings)  # type: ignore[arg-type]  # a flow ends with an answer's body
        if run.connection.is_open:
            run.connection.send(response)

    def _refuse(self, run: Run, status: Status) -> None:
        if run.is_answered:
            return
        request = run.request
        if request.verb in WRITE_VERBS:
            self._process.record(
                Rejected(
                    server=self.name,
                    verb=request.verb,
                    resource=request.resource,
                    subresource=request.subresource,
                    key=f"{request.namespace}/{request.name}" if request.namespace else request.name,
                    code=status.code,
                    reason=status.reason,
                    message=status.message,
                    user=request.user,
                )
            )
        self._answer(run, Done(code=status.code, body=status))
        if request.verb == WATCH:
            run.connection.close()

    # ---- what a server does by itself

    def ask_self(self, request: Request, then: Callable[[Response], None]) -> None:
        """A request to itself, through the front door."""
        self._process.call_later(REQUEST_HANDLING, self._begin, request, Loopback(then))

    def ask_store(self, request: Request, resource: Resource, then: Callable[[Response], None]) -> None:
        """A request about custom objects behind the front door: nobody is asked."""
        flow = served(handlers.handle_known(self, request, resource), resource, self.resources)
        self._begin_flow(flow, request, cast(Connection, Loopback(then)))

    def _bootstrap_when_filled(self) -> None:
        """As post-start hooks do: what a server writes by itself comes after its caches' first lists."""
        for name in CACHED_AT_BOOT:
            feed = self._feed(name)
            if not feed.cache.is_ready:
                feed.wait_for(0, lambda seen: self._bootstrap_when_filled())
                return
        self._bootstrap()
        if self._has_policy:
            self._own(store_default_policy(self), self._listen_when_policy_is_known)

    def _bootstrap(self) -> None:
        """The namespaces that exist from the start: whoever comes first makes them."""
        for name in SYSTEM_NAMESPACES:
            namespace = Namespace(metadata=ObjectMeta(name=name))
            request = Request(verb="create", resource="namespaces", body=namespace, user="system:apiserver")
            self._own(handlers.handle(self, request), lambda done: None)

    def _listen_when_policy_is_known(self, revision: int) -> None:
        """As load balancers wait for /readyz: before that everybody would be refused."""
        for name in POLICY_CACHES:
            feed = self._feed(name)
            if not feed.cache.is_ready or feed.cache.revision < revision:
                feed.wait_for(revision, lambda seen: self._listen_when_policy_is_known(revision))
                return
        self._process.listen(self._port, self._on_connect)

    def _compact(self, last: Round) -> None:
        self._own(compact(self, last), self._compacted)

    def _compacted(self, outcome: object) -> None:
        assert isinstance(outcome, Round)
        if outcome.compacted:
            self._process.call_later(COMPACTION_POLL, self._drop_snapshots, outcome.compacted)
        self._process.call_later(COMPACTION_PERIOD, self._compact, outcome)

    def _drop_snapshots(self, revision: int) -> None:
        for feed in self._feeds.values():
            feed.cache.compacted(revision)

    def _own(self, flow: Flow[object], then: object, outcome: Outcome = None) -> None:
        """Carry out a flow of the server's own."""
        assert callable(then)
        try:
            effect = flow.send(outcome)
        except StopIteration as end:
            then(end.value)
            return
        except ApiError as error:
            if error.status.code == 409:
                then(None)
                return
            raise
        if isinstance(effect, Pause):
            self._process.call_later(effect.duration_ns, self._own, flow, then, None)
            return
        assert not isinstance(effect, (UntilCached, Until)), f"{self.name} waits for {effect!r} by itself"
        question: etcd.Request = effect

        def on_done(answer: etcd.Response | etcd.EtcdError | Unsure) -> None:
            if isinstance(answer, (etcd.EtcdError, Unsure)) and not isinstance(question, etcd.Compact):
                self._process.call_later(BOOTSTRAP_RETRY_NS, self._client.request, question, on_done)
            else:
                self._own(flow, then, answer)

        self._client.request(question, on_done)


def _handled(server: ApiServer, request: Request) -> Flow[Done]:
    """The handler's flow behind the gate; its refusals of the request's shape come out of the flow too."""
    if request.verb == DISCOVER:
        return discover(server)  # everybody may (system:discovery)
    if request.token:
        request = authenticated(request, server.cache, server.wall_ns())
    level = yield from server.gate.admit_request(request, handlers.find_resource(server, request))
    try:
        done = yield from handlers.handle(server, request)
    except ApiError:
        server.gate.done(level)
        raise
    server.gate.done(level)
    return done


def _watched(
    server: ApiServer, watches: Watches, request: Request, connection: Connection
) -> Flow[Done | None]:
    resource = handlers.find_resource(server, request)
    if request.token:
        request = authenticated(request, server.cache, server.wall_ns())
    level = yield from server.gate.admit_request(request, resource)
    try:
        yield from watches.begin(request, resource, connection)
    except ApiError:
        server.gate.done(level)
        raise
    server.gate.done(level)
    return None


def _is_worth_repeating(effect: etcd.Request, outcome: object) -> bool:
    """Reads are asked again when a member is in trouble; writes only if they were never sent."""
    if isinstance(outcome, Unsure):
        return isinstance(effect, etcd.Range) or str(outcome).endswith("refused")
    if isinstance(outcome, etcd.EtcdError):
        return isinstance(effect, etcd.Range) and outcome.code == "Unavailable"
    return False
