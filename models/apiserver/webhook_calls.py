"""Calls from an API server to admission webhooks: what is asked, what is answered, and the shell that carries it.

A webhook is at an URL (`https://10.0.0.7:8443/path`) or behind a Service: then one of the Service's ready endpoints is
asked, as this server's caches know them. Each call is a connection with the label "webhook"; it fails when that is
refused or reset, or when the time is up. Sources: staging/src/k8s.io/apiserver/pkg/util/webhook/{client,error}.go,
staging/src/k8s.io/api/admission/v1/types.go, pkg/util/proxy (ResolveEndpoint).

Not modelled: TLS, connections that are kept, the Service's own address (the rules of a server's node), names in URLs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from attrs import field, frozen

from chaoskube.models.apiserver.api import Status
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects import EndpointSlice, KubeObject, Service
from chaoskube.models.objects.webhooks import WebhookClientConfig, WebhookServiceReference
from chaoskube.sim import SECOND, Address, Connection, Process, canonical

HTTPS = 443
LABEL = "webhook"
SERVICE_LABEL = "kubernetes.io/service-name"


@frozen(kw_only=True)
class Review:
    """An AdmissionReview: what a webhook is asked."""

    uid: str
    path: str
    operation: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    groups: tuple[str, ...]
    obj: KubeObject | None
    old: KubeObject | None
    dry_run: bool

    def digest_text(self) -> str:
        """The question in short: objects have digests of their own."""
        what = f"{self.operation} {self.resource}/{self.namespace}/{self.name}/{self.subresource}"
        return f"{self.uid} {self.path} {what} {self.user} {canonical(self.obj)} {canonical(self.old)} {self.dry_run}"


@frozen(kw_only=True)
class Verdict:
    """A webhook's answer; `patch` are the operations of a JSON patch."""

    uid: str
    allowed: bool
    status: Status | None = None
    """Why not."""
    patch: tuple[Mapping[str, object], ...] = ()
    warnings: tuple[str, ...] = ()


@frozen
class CallFailed:
    """The webhook could not be asked, or didn't answer in time."""

    why: str


@frozen(kw_only=True)
class Call:
    """One call that is to be made."""

    to: WebhookClientConfig
    review: Review
    timeout_seconds: int
    answer: list[Verdict | CallFailed] = field(factory=list, eq=False)
    """Where the answer goes."""


class WebhookCaller:
    """Makes the calls of one server."""

    def __init__(self, process: Process, cache: Callable[[str], WatchCache]) -> None:
        self._process = process
        self._cache = cache

    def make(self, calls: tuple[Call, ...], resume: Callable[[None], None]) -> None:
        """Make all calls at once; `resume` when each has an answer."""
        remaining = len(calls)

        def answered() -> None:
            nonlocal remaining
            remaining -= 1
            if not remaining:
                resume(None)

        for call in calls:
            self._make(call, answered)

    def _make(self, call: Call, then: Callable[[], None]) -> None:
        def end(answer: Verdict | CallFailed) -> None:
            if not call.answer:
                call.answer.append(answer)
                timer.cancel()
                then()

        def on_message(message: object) -> None:
            assert isinstance(message, Verdict), f"a webhook answers with a Verdict, not {message!r}"
            end(message)
            close()

        def too_late() -> None:
            end(CallFailed(f"{post}: context deadline exceeded"))
            close()

        def close() -> None:
            if connection is not None:
                connection.close()

        connection: Connection | None = None
        post = f'failed to call webhook: Post "{url_of(call.to, call.timeout_seconds)}"'
        timer = self._process.call_later(call.timeout_seconds * SECOND, too_late)
        address = self._address(call.to)
        if isinstance(address, str):
            self._process.call_later(0, end, CallFailed(f"{post}: {address}"))
            return
        connection = self._process.connect(
            address,
            label=LABEL,
            on_message=on_message,
            on_close=lambda reason: end(CallFailed(f"{post}: {_dialled(address, reason)}")),
        )
        connection.send(call.review)

    def _address(self, to: WebhookClientConfig) -> Address | str:
        """Where to connect to, or why nowhere."""
        if to.service is not None:
            return self._endpoint(to.service)
        parts = urlsplit(to.url or "")
        return Address(parts.hostname or "", parts.port or HTTPS)

    def _endpoint(self, to: WebhookServiceReference) -> Address | str:
        service = self._cache("services").get(f"/registry/services/specs/{to.namespace}/{to.name}")
        if not isinstance(service, Service):
            return f'service "{to.name}" not found'
        number = to.port or HTTPS
        port = next((one for one in service.spec.ports if one.port == number), None)
        if port is None:
            return f'no service port {number} found for service "{to.name}"'
        slices = self._cache("endpointslices").select(f"/registry/endpointslices/{to.namespace}/")
        for _, one in slices:
            if not isinstance(one, EndpointSlice) or one.labels.get(SERVICE_LABEL) != to.name:
                continue
            target = next(
                (here.port for here in one.ports or () if (here.name or "") == (port.name or "")), None
            )
            for endpoint in one.endpoints:
                is_ready = endpoint.conditions is None or endpoint.conditions.ready is not False
                if target is not None and is_ready and endpoint.addresses:
                    return Address(endpoint.addresses[0], target)
        return f'no endpoints available for service "{to.name}"'


def url_of(to: WebhookClientConfig, timeout_seconds: int) -> str:
    """The address as errors tell it."""
    if to.service is None:
        return f"{to.url}?timeout={timeout_seconds}s"
    service = to.service
    path = (service.path or "").removeprefix("/")
    return f"https://{service.name}.{service.namespace}.svc:{service.port or HTTPS}/{path}?timeout={timeout_seconds}s"


def path_of(to: WebhookClientConfig) -> str:
    """The path that is asked for."""
    return (to.service.path or "") if to.service is not None else urlsplit(to.url or "").path


def _dialled(address: Address, reason: str) -> str:
    if reason == "refused":
        return f"dial tcp {address.ip}:{address.port}: connect: connection refused"
    return "EOF" if reason == "closed" else reason
