"""The typed client of the Kubernetes API: what a controller, a kubelet or a user calls.

Two faces on one transport: `request` for handlers, async methods for tasks. The async ones return the
object, raise `Refused` with the server's Status when the answer is a definite no, and `Unsure` when nobody
knows. `as_user` gives the same connections another name in the audit log, as controllers with their own
service accounts have; `with_token` shows the servers a token, as a pod does.

Called by everybody that talks to an API server. Source of the verbs: staging/src/k8s.io/client-go/gentype.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chaoskube.models.apiserver.api import (
    CREATE,
    DELETE,
    DISCOVER,
    GET,
    LIST,
    PATCH,
    STRATEGIC,
    UPDATE,
    WATCH,
    DeleteOptions,
    ListOptions,
    ObjectList,
    Preconditions,
    Request,
    Response,
    Status,
)
from chaoskube.models.apiserver.custom.definitions import resources_of
from chaoskube.models.client.attempts import RETRIES_MAX, retry_delay
from chaoskube.models.client.limits import ClientLimits
from chaoskube.models.client.transport import Caller, OnDone, Transport
from chaoskube.models.client.watching import OnEnd, OnEvent, WatchHandle
from chaoskube.models.objects import KubeObject, Pod, resource_for
from chaoskube.models.objects.resources import Resources
from chaoskube.sim import Address, Process, Refused, Reply, Unsure, UsageError, reached


class ApiClient:
    """A client of the API servers, as `user`, member of `groups`, with the program name `agent`.

    With a service account's `token` it is whoever the servers find in that, and its user and groups count for nothing.
    `limits` holds requests back before they leave; `retries_max` 0 hears every answer as it comes.
    """

    def __init__(
        self,
        process: Process,
        servers: tuple[Address, ...],
        *,
        user: str = "",
        groups: tuple[str, ...] = (),
        agent: str = "",
        token: str = "",
        limits: ClientLimits | None = None,
        retries_max: int = RETRIES_MAX,
        transport: Transport | None = None,
        resources: Resources | None = None,
    ) -> None:
        self.process = process
        self.resources = resources or Resources()
        """What this process knows of custom resources: discovery asks again when a kind is unknown."""
        self.caller = Caller(user=user, groups=groups, agent=agent, token=token)
        self.limits = limits
        self._bucket = limits.bucket() if limits is not None else None
        self._retries_max = retries_max
        self._servers = servers
        self._transport = transport or Transport(process, servers)

    @property
    def user(self) -> str:
        """The name it asks under; "" with a token."""
        return self.caller.user

    @property
    def server(self) -> Address:
        """The server it talks to now."""
        return self._transport.server

    def as_user(
        self,
        user: str,
        *,
        groups: tuple[str, ...] = (),
        agent: str = "",
        limits: ClientLimits | None = None,
    ) -> ApiClient:
        """The same connections under another user's name, with a limiter of its own, of the same kind unless given."""
        caller = Caller(user=user, groups=groups, agent=agent or self.caller.agent)
        return self._like(caller, limits or self.limits)

    def with_token(self, token: str) -> ApiClient:
        """The same connections with a service account's token: servers find out whose it is, and whether it still holds."""
        return self._like(Caller(token=token, agent=self.caller.agent), self.limits)

    def unlimited(self) -> ApiClient:
        """The same client without a limiter, as what sends heartbeats has it."""
        return self._like(self.caller, None)

    def _like(self, caller: Caller, limits: ClientLimits | None) -> ApiClient:
        """Another client on the same connections."""
        return ApiClient(
            self.process,
            self._servers,
            user=caller.user,
            groups=caller.groups,
            agent=caller.agent,
            token=caller.token,
            limits=limits,
            retries_max=self._retries_max,
            transport=self._transport,
            resources=self.resources,
        )

    # -- for handlers

    def request(self, request: Request, on_done: OnDone, *, timeout_ns: int | None = None) -> None:
        """Send a request; `on_done` hears the Response, or an Unsure, after what the client tries by itself."""
        attempts = _Attempts(self, request, on_done, timeout_ns, self._retries_max)
        delay = self._bucket.reserve(self.process.now) if self._bucket is not None else 0
        if delay:
            reached("client-side limit held a request back")
            self.process.call_later(delay, attempts.send)
        else:
            attempts.send()

    def watch(
        self, resource: str, namespace: str, options: ListOptions, on_event: OnEvent, on_end: OnEnd
    ) -> WatchHandle:
        """Watch `resource`; `on_end` hears a Status or how the connection closed."""
        request = Request(verb=WATCH, resource=resource, namespace=namespace, options=options)
        return self._transport.watch(
            self.caller.signed(request), on_event, on_end, retries_max=self._retries_max
        )

    # -- for tasks

    async def call(self, request: Request, *, timeout_ns: int | None = None) -> Response:
        """The answer to `request`. Raises Refused or Unsure."""
        return self.checked(await self.answer(request, timeout_ns=timeout_ns))

    async def answer(self, request: Request, *, timeout_ns: int | None = None) -> Response:
        """The answer to `request`, refusals among them. Raises Unsure."""
        reply: Reply[Response | Unsure] = self.process.reply()
        self.request(request, reply.set, timeout_ns=timeout_ns)
        answer = await reply.wait()
        if isinstance(answer, Unsure):
            raise answer
        return answer

    def checked(self, answer: Response) -> Response:
        """The answer if it is a success; else raises what it means."""
        if not answer.is_success:
            raise _failure(answer)
        return answer

    async def gather(self, requests: Iterable[Request]) -> tuple[Response | Refused | Unsure, ...]:
        """All requests at once; their outcomes in the same order. Raises nothing."""
        replies: list[Reply[Response | Unsure]] = []
        for request in requests:
            reply: Reply[Response | Unsure] = self.process.reply()
            self.request(request, reply.set)
            replies.append(reply)
        outcomes: list[Response | Refused | Unsure] = []
        for reply in replies:
            answer = await reply.wait()
            if isinstance(answer, Response) and not answer.is_success:
                outcomes.append(_failure(answer))
            else:
                outcomes.append(answer)
        return tuple(outcomes)

    async def get(
        self, resource: str, namespace: str, name: str, *, timeout_ns: int | None = None
    ) -> KubeObject:
        """The object as it is now."""
        request = Request(verb=GET, resource=resource, namespace=namespace, name=name)
        return _object(await self.call(request, timeout_ns=timeout_ns))

    async def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        resource_version: str = "",
        resource_version_match: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList:
        """All objects of a resource, in a namespace or in all."""
        options = ListOptions(
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            label_selector=label_selector,
            field_selector=field_selector,
        )
        answer = await self.call(Request(verb=LIST, resource=resource, namespace=namespace, options=options))
        assert isinstance(answer.body, ObjectList), f"a list, not {answer.body!r}"
        return answer.body

    async def create(self, obj: KubeObject, *, timeout_ns: int | None = None) -> KubeObject:
        """Create `obj`; what was stored."""
        request = Request(
            verb=CREATE,
            resource=await self.resource_of(obj),
            namespace=obj.namespace,
            name=obj.name,
            body=obj,
        )
        return _object(await self.call(request, timeout_ns=timeout_ns))

    async def update(
        self, obj: KubeObject, *, subresource: str = "", timeout_ns: int | None = None
    ) -> KubeObject:
        """Replace `obj` (409 when its resource_version isn't the newest); what was stored."""
        request = Request(
            verb=UPDATE,
            resource=await self.resource_of(obj),
            namespace=obj.namespace,
            name=obj.name,
            subresource=subresource,
            body=obj,
        )
        return _object(await self.call(request, timeout_ns=timeout_ns))

    async def resource_of(self, obj: KubeObject) -> str:
        """The resource that holds such objects; what isn't known yet is looked up by discovery (a RESTMapper)."""
        try:
            return self.resources.resource_for(obj.kind, obj.api_version).name
        except UsageError:
            await self.discover()
        try:
            return self.resources.resource_for(obj.kind, obj.api_version).name
        except UsageError as error:
            why = f'no matches for kind "{obj.kind}" in version "{obj.api_version}"'
            raise Refused(Status(code=404, reason="NotFound", message=why)) from error

    async def discover(self) -> None:
        """Ask which custom resources there are; a server tells what it knows itself."""
        found = (await self.call(Request(verb=DISCOVER, resource=""))).body
        assert isinstance(found, ObjectList), f"discovery answers with a list, not {found!r}"
        self.resources.replace(resources_of(found.items))

    async def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Mapping[str, object] | tuple[object, ...],
        *,
        type: str = STRATEGIC,
        subresource: str = "",
    ) -> KubeObject:
        """Change what `patch` says; what was stored."""
        request = Request(
            verb=PATCH,
            resource=resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            body=patch,
            patch_type=type,
        )
        return _object(await self.call(request))

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation_policy: str | None = None,
    ) -> KubeObject | Status:
        """Delete by name; the object when it lingers, else a Status."""
        request = delete_request(
            resource,
            namespace,
            name,
            grace_period_seconds=grace_period_seconds,
            uid=uid,
            resource_version=resource_version,
            propagation_policy=propagation_policy,
        )
        body = (await self.call(request)).body
        assert not isinstance(body, ObjectList), "a delete answers with an object or a Status"
        return body

    async def bind(self, pod: Pod, node_name: str) -> None:
        """Assign `pod` to a node (the binding subresource)."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": node_name},
        }
        await self.call(
            Request(
                verb=CREATE,
                resource="pods",
                namespace=pod.namespace,
                name=pod.name,
                subresource="binding",
                body=body,
            )
        )


class _Attempts:
    """One request through all its attempts, which share the time that it was given."""

    __slots__ = ("_client", "_deadline", "_left", "_on_done", "_request")

    def __init__(
        self, client: ApiClient, request: Request, on_done: OnDone, timeout_ns: int | None, retries_max: int
    ) -> None:
        self._client = client
        self._request = request
        self._on_done = on_done
        self._deadline = client.process.now + timeout_ns if timeout_ns is not None else None
        self._left = retries_max

    def send(self) -> None:
        client = self._client
        timeout_ns = max(1, self._deadline - client.process.now) if self._deadline is not None else None
        client._transport.request(self._request, self._heard, caller=client.caller, timeout_ns=timeout_ns)

    def _heard(self, answer: Response | Unsure) -> None:
        if isinstance(answer, Response) and answer.code < 429:
            self._on_done(answer)
            return
        delay = retry_delay(self._request.verb, answer)
        if delay is None or self._left <= 0 or not self._is_in_time(delay):
            self._on_done(answer)
            return
        reached("client sends a request again by itself")
        self._left -= 1
        client = self._client
        if client._bucket is not None:
            delay += client._bucket.reserve(client.process.now + delay)
        client.process.call_later(delay, self.send)

    def _is_in_time(self, delay_ns: int) -> bool:
        return self._deadline is None or self._client.process.now + delay_ns < self._deadline


def create_request(obj: KubeObject) -> Request:
    """The request that creates `obj`."""
    return Request(
        verb=CREATE,
        resource=resource_for(obj.kind, obj.api_version).plural,
        namespace=obj.namespace,
        name=obj.name,
        body=obj,
    )


def delete_request(
    resource: str,
    namespace: str,
    name: str,
    *,
    grace_period_seconds: int | None = None,
    uid: str | None = None,
    resource_version: str | None = None,
    propagation_policy: str | None = None,
) -> Request:
    """The request that deletes an object by name."""
    preconditions = None
    if uid is not None or resource_version is not None:
        preconditions = Preconditions(uid=uid, resource_version=resource_version)
    return Request(
        verb=DELETE,
        resource=resource,
        namespace=namespace,
        name=name,
        delete_options=DeleteOptions(
            grace_period_seconds=grace_period_seconds,
            preconditions=preconditions,
            propagation_policy=propagation_policy,
        ),
    )


def status_of(error: Refused) -> Status:
    """The Status that a refusal carries."""
    assert isinstance(error.status, Status), f"a refusal carries a Status, not {error.status!r}"
    return error.status


def is_not_found(error: Exception) -> bool:
    """Whether the server said that there is no such object."""
    return isinstance(error, Refused) and status_of(error).reason == "NotFound"


def is_conflict(error: Exception) -> bool:
    """Whether a write came too late: somebody else wrote first."""
    return isinstance(error, Refused) and status_of(error).reason == "Conflict"


def is_already_exists(error: Exception) -> bool:
    """Whether the name is taken."""
    return isinstance(error, Refused) and status_of(error).reason == "AlreadyExists"


def has_cause(error: Exception, reason: str) -> bool:
    """Whether a refusal names `reason` among its causes."""
    return isinstance(error, Refused) and any(cause.reason == reason for cause in status_of(error).causes)


def _failure(answer: Response) -> Refused | Unsure:
    """A time-out behind the server (500, 504) leaves open whether a write happened: that is no refusal."""
    status = answer.body
    if isinstance(status, Status) and not status.is_definite:
        return Unsure(str(status))
    return Refused(status)


def _object(answer: Response) -> KubeObject:
    assert isinstance(answer.body, KubeObject), f"an object, not {answer.body!r}"
    return answer.body
