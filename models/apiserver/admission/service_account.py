"""ServiceAccount: a pod runs as an account that exists, and finds that account's token in its files.

An account that this server's cache doesn't know is asked of etcd; `default` several times, since a controller makes it
when a namespace is new. The token's volume is added unless the account or the pod says that it isn't wanted.
Source: plugin/pkg/admission/serviceaccount/admission.go.

Not modelled: accounts that restrict which secrets their pods may mount; mirror pods.
"""

from __future__ import annotations

from random import Random

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import CREATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.names import generated_name
from chaoskube.models.apiserver.storage import read
from chaoskube.models.objects import Container, KubeObject, Pod, ServiceAccount, Volume, VolumeMount, freeze
from chaoskube.sim import MILLISECOND

DEFAULT_ACCOUNT = "default"
DEFAULT_ATTEMPTS = 10
RETRY_MILLISECONDS = (100, 200)
VOLUME_PREFIX = "kube-api-access-"
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
_SOURCE = freeze(
    {
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {
                    "downwardAPI": {
                        "items": [
                            {
                                "path": "namespace",
                                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                            }
                        ]
                    }
                },
            ],
            "defaultMode": 420,
        }
    }
)


class ServiceAccountPlugin(Plugin):
    """Gives pods their account and its token."""

    name = "ServiceAccount"

    def admits(self, target: Target) -> bool:
        """New pods."""
        return target.is_on("pods", CREATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The pod with its account."""
        pod = attributes.obj
        assert isinstance(pod, Pod), f"{pod!r} is no pod"
        name = pod.spec.service_account_name or DEFAULT_ACCOUNT
        account = yield from self._account(ctx, attributes, name)
        spec = evolve(pod.spec, service_account_name=name, service_account=name)
        if not spec.image_pull_secrets and account.image_pull_secrets:
            spec = evolve(spec, image_pull_secrets=account.image_pull_secrets)
        pod = evolve(pod, spec=spec)
        if wants_token(pod, account):
            pod = with_token(pod, ctx.rng)
        return attributes.with_object(pod)

    def _account(self, ctx: Context, attributes: Attributes, name: str) -> Flow[ServiceAccount]:
        key = f"/registry/serviceaccounts/{attributes.namespace}/{name}"
        cache = yield from synced(ctx, attributes, "serviceaccounts")
        found: KubeObject | None = cache.get(key)
        attempts = DEFAULT_ATTEMPTS if name == DEFAULT_ACCOUNT else 1
        wait_ns = ctx.rng.randrange(*RETRY_MILLISECONDS) * MILLISECOND if found is None else 0
        for attempt in range(attempts):
            if found is not None:
                break
            if attempt:
                yield Pause(wait_ns)
            found = yield from read(key)
        if found is None:
            raise attributes.forbidden(
                f'error looking up service account {attributes.namespace}/{name}: serviceaccount "{name}" not found'
            )
        assert isinstance(found, ServiceAccount), f"{key} holds {found!r}"
        return found


def wants_token(pod: Pod, account: ServiceAccount) -> bool:
    """What the pod says, else what the account says, else yes."""
    said = pod.spec.automount_service_account_token
    if said is None:
        said = account.automount_service_account_token
    return said is not False


def with_token(pod: Pod, rng: Random) -> Pod:
    """The pod with the volume of its token, where a container doesn't mount something else there."""
    spec = pod.spec
    present = next((one.name for one in spec.volumes if one.name.startswith(VOLUME_PREFIX)), "")
    name = present or generated_name(VOLUME_PREFIX, rng)
    mount = VolumeMount(name=name, read_only=True, mount_path=TOKEN_PATH)
    containers = tuple([_with_mount(one, mount) for one in spec.containers])
    inits = tuple([_with_mount(one, mount) for one in spec.init_containers])
    if containers == spec.containers and inits == spec.init_containers:
        return pod
    volumes = spec.volumes if present else (*spec.volumes, Volume(name=name, extra=_SOURCE))
    return evolve(pod, spec=evolve(spec, containers=containers, init_containers=inits, volumes=volumes))


def _with_mount(container: Container, mount: VolumeMount) -> Container:
    if any(one.mount_path == TOKEN_PATH for one in container.volume_mounts):
        return container
    return evolve(container, volume_mounts=(*container.volume_mounts, mount))
