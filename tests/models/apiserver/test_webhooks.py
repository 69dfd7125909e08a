"""Admission webhooks: who is asked, in which order, and what comes of webhooks that are slow, down or wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chaoskube.models.apiserver.admission import Attributes
from chaoskube.models.apiserver.admission.webhooks import refuse_dry_run
from chaoskube.models.apiserver.authentication import identify
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.webhook_calls import Review, Verdict
from chaoskube.models.objects.resources import resource_of
from chaoskube.models.objects.webhooks import ValidatingWebhook
from chaoskube.models.webhook import WebhookAsked, allow, boot_webhook, deny
from chaoskube.sim import SECOND

JSON = "application/json"
CONFIGS = "/api/v1/namespaces/default/configmaps"
HOOKS = "/apis/admissionregistration.k8s.io/v1"
RULE = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


def label(name: str, value: str) -> Callable[[Review], Verdict]:
    """A webhook that sets one key of a ConfigMap's data."""
    return lambda review: allow(review, {"op": "add", "path": f"/data/{name}", "value": value})


def start(api: Any, name: str, decide: Callable[[Review], Verdict], **options: Any) -> str:
    """A webhook on a host of its own; its URL."""
    process = api.world.process(name, host=f"host-{name}", boot=lambda p: boot_webhook(p, decide, **options))
    process.start()
    return f"https://{api.world.network.ip_of(f'host-{name}')}:8443/{name}"


def register(api: Any, kind: str, *hooks: dict[str, Any], name: str = "hooks") -> None:
    """Make a configuration, and let both servers hear of it."""
    plural = f"{kind.lower()}webhookconfigurations"
    whole = [
        {
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "rules": [RULE],
            "failurePolicy": "Fail",
            **hook,
        }
        for hook in hooks
    ]
    code, said = api.http(
        "POST", f"{HOOKS}/{plural}", None, JSON, {"metadata": {"name": name}, "webhooks": whole}
    )
    assert code == 201, said
    api.world.advance(SECOND)


def make(api: Any, name: str = "c", query: Any = None, **metadata: Any) -> Any:
    body = {"metadata": {"name": name, **metadata}, "data": {"a": "1"}}
    return api.http("POST", CONFIGS, query, JSON, body)


def asked(api: Any) -> list[str]:
    return [one.event.webhook for one in api.world.journal.entries if isinstance(one.event, WebhookAsked)]


def test_mutating_webhooks_see_what_the_one_before_made(api: Any) -> None:
    """One after the other, in the order of their configurations' names."""
    first = start(api, "first", label("b", "2"))
    second = start(
        api,
        "second",
        lambda review: allow(review, {"op": "copy", "from": "/data/b", "path": "/data/c"}),
    )
    register(api, "Mutating", {"name": "second.example.com", "clientConfig": {"url": second}}, name="z")
    register(api, "Mutating", {"name": "first.example.com", "clientConfig": {"url": first}}, name="a")

    _, made = make(api)

    assert made["data"] == {"a": "1", "b": "2", "c": "2"}
    assert asked(api) == ["first", "second"]


def test_a_validating_webhook_sees_what_would_be_stored_and_may_refuse(api: Any) -> None:
    """After all mutating ones, with its own name in front of its reason."""
    mutate = start(api, "mutate", label("b", "2"))
    judge = start(
        api,
        "judge",
        lambda review: deny(review, "no b") if review.obj and "b" in review.obj.data else allow(review),  # type: ignore[attr-defined]
    )
    register(api, "Validating", {"name": "judge.example.com", "clientConfig": {"url": judge}})
    free = make(api, "free")
    register(api, "Mutating", {"name": "mutate.example.com", "clientConfig": {"url": mutate}})
    refused = make(api, "refused")

    assert free[0] == 201
    assert (refused[0], refused[1]["message"]) == (
        403,
        'admission webhook "judge.example.com" denied the request: no b',
    )


@pytest.mark.parametrize(("policy", "code"), [("Fail", 500), ("Ignore", 201)])
def test_a_webhook_that_is_down_fails_the_request_or_is_passed_over(api: Any, policy: str, code: int) -> None:
    """failurePolicy decides; the error is the server's, not the webhook's."""
    url = f"https://{api.world.network.ip_of('control-2')}:8443/gone"
    register(
        api, "Validating", {"name": "gone.example.com", "clientConfig": {"url": url}, "failurePolicy": policy}
    )
    got, said = make(api)

    assert got == code
    if code == 500:
        assert said["reason"] == "InternalError"
        assert said["message"].startswith(
            'Internal error occurred: failed calling webhook "gone.example.com": failed to call webhook: '
            f'Post "{url}?timeout=10s": dial tcp'
        )
        assert said["message"].endswith("connect: connection refused")


def test_a_slow_webhook_costs_its_time_out(api: Any) -> None:
    """timeoutSeconds, then failurePolicy."""
    url = start(api, "slow", allow, delay_ns=20 * SECOND)
    register(api, "Mutating", {"name": "slow.example.com", "clientConfig": {"url": url}, "timeoutSeconds": 3})
    began = api.world.now
    code, said = make(api)

    assert code == 500 and said["message"].endswith("context deadline exceeded")
    assert 3 * SECOND <= api.world.now - began < 4 * SECOND


def test_a_webhook_that_answers_another_question_is_not_believed(api: Any) -> None:
    """The uid of the answer has to be the question's."""
    url = start(api, "wrong", lambda review: Verdict(uid="other", allowed=True))
    register(api, "Validating", {"name": "wrong.example.com", "clientConfig": {"url": url}})
    code, said = make(api)

    assert code == 500 and "received invalid webhook response: expected response.uid=" in said["message"]


def test_a_patch_that_cannot_be_applied_fails_the_request(api: Any) -> None:
    """Whatever the policy: that is no failure to call."""
    bad = start(api, "bad", lambda review: allow(review, {"op": "remove", "path": "/data/none"}))
    register(
        api, "Mutating", {"name": "bad.example.com", "clientConfig": {"url": bad}, "failurePolicy": "Ignore"}
    )

    assert make(api)[0] == 500


def test_a_dry_run_asks_webhooks_that_do_nothing_else(api: Any) -> None:
    """And the server takes no others: v1 refuses a configuration whose webhook has side effects."""
    url = start(api, "harmless", allow)
    register(
        api,
        "Validating",
        {"name": "acts.example.com", "clientConfig": {"url": url}, "sideEffects": "NoneOnDryRun"},
    )

    assert make(api, query={"dryRun": "All"})[0] == 201
    assert asked(api) == ["harmless"]


def test_a_dry_run_would_be_refused_where_a_webhook_does_more_than_answer() -> None:
    """Configurations from before v1 may have such webhooks."""
    hook = ValidatingWebhook(name="acts.example.com", side_effects="Some")
    attributes = Attributes(
        operation="CREATE", resource=resource_of("configmaps"), identity=identify("user"), dry_run=True
    )

    with pytest.raises(ApiError, match='admission webhook "acts.example.com" does not support dry run'):
        refuse_dry_run(hook, attributes)


@pytest.mark.parametrize(
    ("selection", "labels", "is_asked"),
    [
        ({"objectSelector": {"matchLabels": {"x": "y"}}}, {}, False),
        ({"objectSelector": {"matchLabels": {"x": "y"}}}, {"x": "y"}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, {}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, {}, False),
        ({"rules": [{**RULE, "operations": ["UPDATE"]}]}, {}, False),
        ({"rules": [{**RULE, "resources": ["*/*"], "apiGroups": ["*"]}]}, {}, True),
        ({"rules": [{**RULE, "scope": "Cluster"}]}, {}, False),
    ],
)
def test_rules_and_selectors_say_who_is_asked(
    api: Any, selection: dict[str, Any], labels: dict[str, str], is_asked: bool
) -> None:
    """Each alone can keep a webhook out."""
    url = start(api, "hook", allow)
    register(api, "Validating", {"name": "hook.example.com", "clientConfig": {"url": url}, **selection})
    make(api, labels=labels)

    assert bool(asked(api)) == is_asked


def test_earlier_webhooks_look_again_if_they_want_to(api: Any) -> None:
    """reinvocationPolicy IfNeeded, once, and only when a later one changed the object."""
    first = start(api, "first", allow)
    second = start(api, "second", label("b", "2"))
    register(
        api,
        "Mutating",
        {"name": "a.example.com", "clientConfig": {"url": first}, "reinvocationPolicy": "IfNeeded"},
        {"name": "b.example.com", "clientConfig": {"url": second}},
    )
    make(api)

    assert asked(api) == ["first", "second", "first"]


def test_a_webhook_behind_a_service_without_endpoints_blocks_what_it_watches(api: Any) -> None:
    """A webhook that a pod of the cluster serves can lock the cluster out of its own recovery."""
    service = {"metadata": {"name": "hook"}, "spec": {"ports": [{"port": 443, "targetPort": 8443}]}}
    api.http("POST", "/api/v1/namespaces/default/services", None, JSON, service)
    where = {"service": {"namespace": "default", "name": "hook", "path": "/judge"}}
    register(api, "Validating", {"name": "svc.example.com", "clientConfig": where})
    code, said = make(api)

    assert code == 500
    assert said["message"].endswith(
        'Post "https://hook.default.svc:443/judge?timeout=10s": no endpoints available for service "hook"'
    )


def test_a_webhook_behind_a_service_is_asked_at_its_ready_endpoint(api: Any) -> None:
    """As this server's cache of EndpointSlices knows it."""
    start(api, "pod", allow)
    service = {"metadata": {"name": "hook"}, "spec": {"ports": [{"port": 443, "targetPort": 8443}]}}
    api.http("POST", "/api/v1/namespaces/default/services", None, JSON, service)
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    body = {
        "metadata": {"name": "hook-1", "labels": {"kubernetes.io/service-name": "hook"}},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8443, "protocol": "TCP"}],
        "endpoints": [{"addresses": [api.world.network.ip_of("host-pod")], "conditions": {"ready": True}}],
    }
    assert api.http("POST", slices, None, JSON, body)[0] == 201
    register(
        api,
        "Validating",
        {"name": "svc.example.com", "clientConfig": {"service": {"namespace": "default", "name": "hook"}}},
    )

    assert make(api)[0] == 201
    assert asked(api) == ["pod"]


def test_the_configurations_themselves_are_never_asked_about(api: Any) -> None:
    """Or nobody could take a broken webhook away."""
    url = f"https://{api.world.network.ip_of('control-2')}:8443/gone"
    everything = {**RULE, "apiGroups": ["*"], "resources": ["*/*"], "apiVersions": ["*"]}
    register(
        api, "Validating", {"name": "gone.example.com", "clientConfig": {"url": url}, "rules": [everything]}
    )

    assert api.http("DELETE", f"{HOOKS}/validatingwebhookconfigurations/hooks")[0] == 200
