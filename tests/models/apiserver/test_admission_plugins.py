"""Each admission plug-in does what the real one does, with the real words."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.apiserver.admission import PLUGINS
from chaoskube.models.apiserver.admission.amounts import add, pod_requests, subtract, text_of
from chaoskube.models.apiserver.admission.pod_security_checks import findings, told
from chaoskube.models.apiserver.events import Written
from chaoskube.models.objects import Quantity, decode
from chaoskube.sim import SECOND

JSON = "application/json"
MERGE = "application/merge-patch+json"
CORE = "/api/v1/namespaces/default"


def pod(name: str, resources: Any = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "app:v1", **({"resources": resources} if resources else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def post(api: Any, path: str, body: dict[str, Any], query: Any = None) -> Any:
    return api.http("POST", path, query, JSON, body)


def test_the_plug_ins_stand_in_the_real_order() -> None:
    """pkg/kubeapiserver/options/plugins.go: quotas last, so that only what is admitted otherwise is charged."""
    names = [plugin.name for plugin in PLUGINS]

    assert names == [
        "NamespaceLifecycle",
        "LimitRanger",
        "ServiceAccount",
        "NodeRestriction",
        "TaintNodesByCondition",
        "PodSecurity",
        "Priority",
        "DefaultTolerationSeconds",
        "DefaultStorageClass",
        "StorageObjectInUseProtection",
        "DefaultIngressClass",
        "MutatingAdmissionWebhook",
        "ValidatingAdmissionWebhook",
        "ResourceQuota",
    ]


# ---- namespaces


def test_nothing_new_in_a_namespace_that_ends(api: Any) -> None:
    """The server that was told to delete it doesn't even trust its own cache."""
    post(api, "/api/v1/namespaces", {"metadata": {"name": "short"}})
    api.delay_etcd_watch(0, "namespaces", 20 * SECOND)
    api.http("DELETE", "/api/v1/namespaces/short")

    code, said = post(api, "/api/v1/namespaces/short/configmaps", {"metadata": {"name": "c"}})

    assert code == 403
    assert said["message"] == (
        'configmaps "c" is forbidden: unable to create new content in namespace short because it is being terminated'
    )
    assert said["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def test_another_server_admits_until_it_hears_that_a_namespace_ends(api: Any) -> None:
    """That is why the namespace controller waits before it empties one."""
    post(api, "/api/v1/namespaces", {"metadata": {"name": "short"}})
    api.world.advance(SECOND)
    api.delay_etcd_watch(1, "namespaces", 20 * SECOND)
    api.do("delete", "namespaces", "short", server=0)

    body = decode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "short"}})
    made = api.do("create", "configmaps", server=1, namespace="short", body=body)

    assert made.name == "c"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_three_namespaces_never_end(api: Any, name: str) -> None:
    """Whoever asks."""
    code, said = api.http("DELETE", f"/api/v1/namespaces/{name}")

    assert (code, said["message"]) == (
        403,
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


# ---- limit ranges (the recording `limitrange` has the rest)


def limits(**item: Any) -> dict[str, Any]:
    return {"metadata": {"name": "l"}, "spec": {"limits": [item]}}


def test_a_limit_range_fills_in_and_says_so(api: Any) -> None:
    """Also for init containers, and only what a container leaves out."""
    post(
        api,
        f"{CORE}/limitranges",
        limits(type="Container", default={"cpu": "1"}, defaultRequest={"cpu": "100m"}),
    )
    wanted = pod("p", {"requests": {"cpu": "200m"}}, initContainers=[{"name": "first", "image": "i"}])
    _, made = post(api, f"{CORE}/pods", wanted)

    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "200m"}}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu limit for container app; "
        "cpu request for init container first; cpu limit for init container first"
    )


def test_a_claim_keeps_within_its_limits(api: Any) -> None:
    """Requests alone count: claims have no limits."""
    post(
        api,
        f"{CORE}/limitranges",
        limits(type="PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"}),
    )
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    code, said = post(api, f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})

    assert code == 403
    assert said["message"].endswith(
        "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi"
    )


def test_a_server_whose_cache_has_no_limit_range_asks_etcd(api: Any) -> None:
    """A range made a moment ago holds at once, even where the watch is late."""
    api.delay_etcd_watch(0, "limitranges", 20 * SECOND)
    post(api, f"{CORE}/limitranges", limits(type="Pod", max={"cpu": "1"}))

    code, said = post(api, f"{CORE}/pods", pod("p", {"limits": {"cpu": "2"}}))

    assert code == 403 and said["message"].endswith("maximum cpu usage per Pod is 1, but limit is 2")


# ---- quotas


def quota(api: Any, hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> None:
    """A quota whose usage the controller has counted."""
    post(api, f"{CORE}/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}})
    if used is not None:
        status = {"status": {"hard": hard, "used": used}}
        code, said = api.http("PATCH", f"{CORE}/resourcequotas/q/status", None, MERGE, status)
        assert code == 200, said
    api.world.advance(SECOND)


def test_a_quota_that_was_not_counted_yet_lets_everything_pass(api: Any) -> None:
    """What holds is status.hard, which the controller writes: a quota made a moment ago holds nothing up."""
    quota(api, {"pods": "0"})

    assert post(api, f"{CORE}/pods", pod("p"))[0] == 201


def test_a_quota_is_charged_and_then_refuses(api: Any) -> None:
    """The server charges before it stores; the next is refused with all three figures."""
    quota(api, {"pods": "1", "requests.cpu": "1"}, {"pods": "0", "requests.cpu": "0"})

    first = post(api, f"{CORE}/pods", pod("a", {"requests": {"cpu": "600m"}}))
    second = post(api, f"{CORE}/pods", pod("b", {"requests": {"cpu": "600m"}}))
    _, after = api.http("GET", f"{CORE}/resourcequotas/q")

    assert first[0] == 201
    assert (second[0], second[1]["message"]) == (
        403,
        (
            'pods "b" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=600m, '
            "used: pods=1,requests.cpu=600m, limited: pods=1,requests.cpu=1"
        ),
    )
    assert after["status"]["used"] == {"pods": "1", "requests.cpu": "600m"}


def test_a_quota_on_cpu_wants_every_container_to_say_it(api: Any) -> None:
    """An old mistake that Kubernetes keeps."""
    quota(api, {"requests.cpu": "1", "limits.memory": "1Gi"}, {"requests.cpu": "0", "limits.memory": "0"})
    _, said = post(api, f"{CORE}/pods", pod("p"))

    assert said["message"] == (
        'pods "p" is forbidden: failed quota: q: must specify limits.memory for: app; requests.cpu for: app'
    )


def test_a_dry_run_charges_nothing(api: Any) -> None:
    """But is refused like a real one."""
    quota(api, {"count/configmaps": "1"}, {"count/configmaps": "0"})
    body = {"metadata": {"name": "c"}}
    dry = post(api, f"{CORE}/configmaps", body, {"dryRun": "All"})
    real = post(api, f"{CORE}/configmaps", body)
    again = post(api, f"{CORE}/configmaps", {"metadata": {"name": "d"}}, {"dryRun": "All"})

    assert (dry[0], real[0], again[0]) == (201, 201, 403)
    assert again[1]["message"].endswith(
        "exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1"
    )


@pytest.mark.parametrize("servers", [(0, 0, 0, 0), (0, 1, 0, 1)])
def test_requests_at_once_never_take_more_than_there_is(api: Any, servers: tuple[int, ...]) -> None:
    """Through one server or two: each charge is a compare-and-swap on the quota."""
    quota(api, {"pods": "2"}, {"pods": "0"})
    numbers = []
    for place, server in enumerate(servers):
        body = decode(pod(f"p{place}"))
        request = api.request("create", "pods", body=body)
        numbers.append(api.send(request, server))
    api.world.advance(3 * SECOND)

    codes = sorted([api.answer(number).code for number in numbers])
    _, after = api.http("GET", f"{CORE}/resourcequotas/q")
    assert codes == [201, 201, 403, 403]
    assert after["status"]["used"] == {"pods": "2"}


def test_the_charge_stands_in_the_audit_log(api: Any) -> None:
    """Written by the server itself, as its loopback client."""
    quota(api, {"pods": "2"}, {"pods": "0"})
    post(api, f"{CORE}/pods", pod("p"))

    written = [one.event for one in api.world.journal.entries if isinstance(one.event, Written)]
    charge = [one for one in written if one.resource == "resourcequotas"][-1]
    assert (charge.user, charge.subresource, charge.key) == ("system:apiserver", "status", "default/q")


@pytest.mark.parametrize(
    ("scope", "spec", "is_charged"),
    [
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["BestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort"]}, {}, False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [
                        {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}
                    ]
                }
            },
            {"priorityClassName": "system-node-critical"},
            True,
        ),
    ],
)
def test_a_quota_holds_for_the_pods_of_its_scopes(api: Any, scope: Any, spec: Any, is_charged: bool) -> None:
    """pkg/quota/v1/evaluator/core/pods.go."""
    quota(api, {"pods": "0"}, {"pods": "0"}, **scope)

    assert post(api, f"{CORE}/pods", pod("p", **spec))[0] == (403 if is_charged else 201)


def test_amounts_add_up_as_they_were_written() -> None:
    """256Mi twice is 512Mi; what is left is never less than nothing."""
    first = {"memory": Quantity("256Mi"), "cpu": Quantity("900m")}

    assert text_of(add(first, first)) == "cpu=1800m,memory=512Mi"
    assert (
        text_of(subtract(first, {"cpu": Quantity("1"), "pods": Quantity("1")})) == "cpu=0,memory=256Mi,pods=0"
    )


def test_a_pod_asks_for_its_containers_or_its_hungriest_beginning() -> None:
    """And for side-cars all the time."""
    inits = [
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
        {"name": "once", "resources": {"requests": {"cpu": "5"}}},
    ]
    made = decode(pod("p", {"requests": {"cpu": "2"}}, initContainers=inits))

    assert text_of(pod_requests(made)) == "cpu=6"  # type: ignore[arg-type]  # a pod was decoded


# ---- default classes


def test_a_claim_gets_the_newest_default_storage_class(api: Any) -> None:
    """Unless it says that it wants none."""
    marked = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name in ("old", "new"):
        body = {"metadata": {"name": name, "annotations": marked}, "provisioner": "example.com/disk"}
        assert post(api, "/apis/storage.k8s.io/v1/storageclasses", body)[0] == 201
        api.world.advance(2 * SECOND)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    _, made = post(api, f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "a"}, "spec": spec})
    _, none = post(
        api,
        f"{CORE}/persistentvolumeclaims",
        {"metadata": {"name": "b"}, "spec": {**spec, "storageClassName": ""}},
    )

    assert made["spec"]["storageClassName"] == "new"
    assert none["spec"]["storageClassName"] == ""


def test_a_claim_is_kept_while_it_is_in_use(api: Any) -> None:
    """By a finalizer that a controller takes away."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    _, made = post(api, f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "a"}, "spec": spec})

    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


# ---- pod security


def level(api: Any, **labels: str) -> None:
    named = {f"pod-security.kubernetes.io/{mode}": value for mode, value in labels.items()}
    code, said = api.http("PATCH", "/api/v1/namespaces/default", None, MERGE, {"metadata": {"labels": named}})
    assert code == 200, said
    api.world.advance(SECOND)


def test_a_namespace_without_a_label_holds_pods_to_nothing(api: Any) -> None:
    """The default is privileged."""
    assert post(api, f"{CORE}/pods", pod("p", hostNetwork=True))[0] == 201


def test_an_enforced_level_refuses_pods_and_lets_what_makes_them_pass(api: Any) -> None:
    """A Deployment is accepted; its pods will not be."""
    level(api, enforce="baseline")
    code, said = post(api, f"{CORE}/pods", pod("p", hostNetwork=True, hostPID=True))
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("p", hostNetwork=True)["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    made = post(
        api, "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "d"}, "spec": spec}
    )

    assert (code, said["message"]) == (
        403,
        (
            'pods "p" is forbidden: violates PodSecurity "baseline:latest": '
            "host namespaces (hostNetwork=true, hostPID=true)"
        ),
    )
    assert made[0] == 201


def test_the_restricted_level_says_all_that_is_missing() -> None:
    """The words of the real checks, in their order."""
    found = findings("restricted", pod("p")["spec"])

    assert told(found) == (
        'allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to '
        '"RuntimeDefault" or "Localhost")'
    )


GOOD = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def test_a_pod_that_gives_all_up_is_restricted_enough() -> None:
    """Nothing else is asked of it."""
    spec = pod("p")["spec"]
    spec["containers"][0]["securityContext"] = GOOD

    assert findings("restricted", spec) == []


@pytest.mark.parametrize(
    ("context", "spec", "reason"),
    [
        ({"privileged": True}, {}, "privileged"),
        ({"capabilities": {"add": ["NET_ADMIN"]}}, {}, "non-default capabilities"),
        ({"procMount": "Unmasked"}, {}, "procMount"),
        ({"seccompProfile": {"type": "Unconfined"}}, {}, "seccompProfile"),
        ({"appArmorProfile": {"type": "Unconfined"}}, {}, "forbidden AppArmor profile"),
        ({"seLinuxOptions": {"user": "root"}}, {}, "seLinuxOptions"),
        ({"windowsOptions": {"hostProcess": True}}, {}, "hostProcess"),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "hostPath volumes"),
        (
            {},
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
            "forbidden sysctls",
        ),
        ({}, {"hostIPC": True}, "host namespaces"),
    ],
)
def test_the_baseline_forbids(context: Any, spec: Any, reason: str) -> None:
    """Each check by itself: take one away, and one of these passes."""
    tree = {**pod("p")["spec"], **spec}
    tree["containers"][0]["securityContext"] = context

    assert [found for found, _ in findings("baseline", tree)] == [reason]


def test_a_stricter_label_warns_of_the_pods_that_run_already(api: Any) -> None:
    """They are not evicted."""
    post(api, f"{CORE}/pods", pod("p", hostNetwork=True))
    api.world.advance(SECOND)
    named = {"pod-security.kubernetes.io/enforce": "baseline"}
    answer = api.ask(
        api.request(
            "patch", "namespaces", "default", patch_type="merge", body={"metadata": {"labels": named}}
        )
    )

    assert answer.warnings == (
        'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
        "p: host namespaces",
    )


def test_a_level_that_does_not_exist_is_refused(api: Any) -> None:
    """422, with the label."""
    named = {"pod-security.kubernetes.io/enforce": "loose"}
    code, said = post(api, "/api/v1/namespaces", {"metadata": {"name": "n", "labels": named}})

    assert code == 422 and "must be one of privileged, baseline, restricted" in said["message"]
