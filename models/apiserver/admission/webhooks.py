"""MutatingAdmissionWebhook and ValidatingAdmissionWebhook: others are asked over the network before anything is stored.

Mutating webhooks are asked one after the other, in the order of their configurations' names; each sees what the one
before made of the object. Validating ones are asked all at once. Which there are is known from this server's cache. One
that cannot be asked, or answers too late, fails the request with 500, or is passed over (failurePolicy Ignore): a webhook
that a pod of the cluster serves can lock the cluster out of its own recovery.
Sources: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go,
pkg/admission/plugin/webhook/mutating/reinvocationcontext.go, pkg/admission/plugin/webhook/errors/statuserror.go.

Not modelled: match conditions, equivalent resources, audit annotations.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import Attributes, Target
from chaoskube.models.apiserver.admission.namespace_lifecycle import namespace_key
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.admission.webhook_matching import Hook, is_called
from chaoskube.models.apiserver.api import Status
from chaoskube.models.apiserver.authentication import LOOPBACK
from chaoskube.models.apiserver.errors import ApiError, bad_request, internal_error
from chaoskube.models.apiserver.flow import Context, Flow, Until
from chaoskube.models.apiserver.names import new_uid
from chaoskube.models.apiserver.webhook_calls import Call, CallFailed, Review, Verdict, path_of
from chaoskube.models.objects import KubeObject, PatchError, decode, default, encode, json_patch
from chaoskube.models.objects.webhooks import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
from chaoskube.sim import reached

EXEMPT = frozenset({"mutatingwebhookconfigurations", "validatingwebhookconfigurations"})
TIMEOUT_SECONDS = 10
HARMLESS = ("None", "NoneOnDryRun")


class Webhooks(Plugin):
    """What both kinds share: the hooks that this server knows of, in order."""

    resource = ""

    def __init__(self) -> None:
        self._known_at = -1
        self._hooks: tuple[tuple[str, Hook], ...] = ()

    def handles(self, target: Target) -> bool:
        """Everything but the configurations of webhooks themselves."""
        return target.resource not in EXEMPT

    def called(self, ctx: Context, attributes: Attributes) -> Flow[list[tuple[str, Hook]]]:
        """The hooks that this request meets, with names that are theirs alone."""
        cache = ctx.cache(self.resource)
        if not cache.is_ready:
            if attributes.identity.name == LOOPBACK:
                return []
            cache = yield from synced(ctx, attributes, self.resource)
        if cache.revision != self._known_at:
            self._known_at = cache.revision
            self._hooks = hooks_of([obj for _, obj in cache.select(f"/registry/{self.resource}/")])
        if not self._hooks:
            return []
        namespace = ctx.cache("namespaces").get(namespace_key(attributes.namespace))
        labels = namespace.labels if namespace is not None else None
        return [(uid, hook) for uid, hook in self._hooks if is_called(hook, attributes, labels)]


class MutatingWebhooks(Webhooks):
    """Lets others change what is written."""

    name = "MutatingAdmissionWebhook"
    resource = "mutatingwebhookconfigurations"

    def admits(self, target: Target) -> bool:
        """Everything but the configurations of webhooks themselves."""
        return self.handles(target)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The object as the webhooks leave it."""
        called = yield from self.called(ctx, attributes)
        again = attributes.reinvocation
        if again.is_second and called and again.output != attributes.obj:
            again.require_all()
        for uid, hook in called:
            if again.is_second and uid not in again.required:
                continue
            refuse_dry_run(hook, attributes)
            call = call_of(ctx, hook, attributes)
            yield Until(lambda resume, call=call: ctx.webhooks.make((call,), resume))  # type: ignore[misc]  # bound now
            changed = judged(hook, call, attributes)
            if changed.obj is not attributes.obj:
                again.require_all()
                again.is_wanted = True
                attributes = changed
            if isinstance(hook, MutatingWebhook) and hook.reinvocation_policy == "IfNeeded":
                again.invoked.append(uid)
        again.output = attributes.obj
        return attributes


class ValidatingWebhooks(Webhooks):
    """Lets others refuse what is written."""

    name = "ValidatingAdmissionWebhook"
    resource = "validatingwebhookconfigurations"

    def validates(self, target: Target) -> bool:
        """Everything but the configurations of webhooks themselves."""
        return self.handles(target)

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Nothing, or the refusal of the first webhook by name that has one."""
        called = yield from self.called(ctx, attributes)
        if not called:
            return
        for _, hook in called:
            refuse_dry_run(hook, attributes)
        calls = tuple([call_of(ctx, hook, attributes) for _, hook in called])
        yield Until(lambda resume: ctx.webhooks.make(calls, resume))
        for (_, hook), call in zip(called, calls, strict=True):
            judged(hook, call, attributes)


def hooks_of(configurations: list[KubeObject]) -> tuple[tuple[str, Hook], ...]:
    """All webhooks, by configuration; each with its configuration's name and its own."""
    found: list[tuple[str, Hook]] = []
    for one in configurations:
        assert isinstance(one, (MutatingWebhookConfiguration, ValidatingWebhookConfiguration)), f"{one!r}"
        hooks: tuple[Hook, ...] = one.webhooks
        found += [(f"{one.name}/{place}/{hook.name}", hook) for place, hook in enumerate(hooks)]
    return tuple(found)


def refuse_dry_run(hook: Hook, attributes: Attributes) -> None:
    """A webhook that does something besides answering isn't asked in a dry run: the request fails instead."""
    if attributes.dry_run and hook.side_effects not in HARMLESS:
        raise bad_request(f'admission webhook "{hook.name}" does not support dry run')


def call_of(ctx: Context, hook: Hook, attributes: Attributes) -> Call:
    """What the webhook is asked."""
    review = Review(
        uid=new_uid(ctx.rng),
        path=path_of(hook.client_config),
        operation=attributes.operation,
        group=attributes.resource.group,
        resource=attributes.resource.plural,
        subresource=attributes.subresource,
        namespace=attributes.namespace,
        name=attributes.name,
        user=attributes.identity.name,
        groups=attributes.identity.groups,
        obj=attributes.obj,
        old=attributes.old,
        dry_run=attributes.dry_run,
    )
    timeout = hook.timeout_seconds or TIMEOUT_SECONDS
    return Call(to=hook.client_config, review=review, timeout_seconds=timeout)


def judged(hook: Hook, call: Call, attributes: Attributes) -> Attributes:
    """What comes of the answer: the request as it goes on, or ApiError."""
    answer = call.answer[0]
    if isinstance(answer, Verdict) and answer.uid != call.review.uid:
        wanted = f'expected response.uid="{call.review.uid}", got "{answer.uid}"'
        answer = CallFailed(f"received invalid webhook response: {wanted}")
    if isinstance(answer, CallFailed):
        if hook.failure_policy == "Ignore":
            reached("apiserver: a webhook failed and was passed over")
            return attributes
        reached("apiserver: a webhook failed, and the request with it")
        raise internal_error(f'failed calling webhook "{hook.name}": {answer.why}')
    attributes.warnings.extend(answer.warnings)
    if not answer.allowed:
        raise denied(hook.name, answer.status)
    if not answer.patch:
        return attributes
    return attributes.with_object(_patched(hook, answer, attributes))


def denied(name: str, status: Status | None) -> ApiError:
    """The webhook's own Status, with its name in front."""
    by = f'admission webhook "{name}" denied the request'
    status = status or Status(code=400)
    why = status.message or status.reason
    return ApiError(
        evolve(
            status, code=max(status.code, 400), message=f"{by}: {why}" if why else f"{by} without explanation"
        )
    )


def _patched(hook: Hook, answer: Verdict, attributes: Attributes) -> KubeObject:
    if attributes.obj is None:
        raise internal_error(
            f'admission webhook "{hook.name}" attempted to modify the object, which is not supported for this operation'
        )
    try:
        return decode(default(json_patch(encode(attributes.obj), answer.patch)))
    except (PatchError, ValueError) as error:
        raise internal_error(str(error)) from error
