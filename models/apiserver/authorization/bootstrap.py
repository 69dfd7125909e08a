"""What a server does for RBAC when it starts: the default roles and bindings that are missing are stored.

Sources: pkg/registry/rbac/rest/storage_rbac.go (PostStartHook), plugin/pkg/auth/authorizer/rbac/bootstrappolicy.

Not modelled: rules added to default roles that somebody has changed; that each is written by a request of its own (all
go in one transaction: nobody can tell, but for their common revision).
"""

from __future__ import annotations

from chaoskube.models.apiserver.authorization.default_roles import default_policy
from chaoskube.models.apiserver.authorization.rbac import CACHES
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of, prefix_of
from chaoskube.models.apiserver.names import new_uid
from chaoskube.models.apiserver.storage import ask, unstamped
from chaoskube.models.apiserver.strategy import prepare_create
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import resource_for, resource_of


def store_default_policy(ctx: Context) -> Flow[int]:
    """Store what is missing, unless another server is faster; the revision from which on all is there."""
    while True:
        present, revision = yield from _present()
        missing = [obj for obj in default_policy() if _key(obj) not in present]
        if not missing:
            return revision
        puts = tuple([etcd.Put(key=_key(obj), value=unstamped(_new(ctx, obj))) for obj in missing])
        free = etcd.Compare(key=puts[0].key, target=etcd.CompareTarget.MOD, value=0)
        response = yield from ask(etcd.Txn(compare=(free,), success=puts, failure=()))
        assert isinstance(response, etcd.TxnResponse), f"a transaction answered with {response!r}"
        if response.succeeded:
            return response.revision


def _present() -> Flow[tuple[frozenset[str], int]]:
    keys: list[str] = []
    revision = 0
    for name in CACHES:
        prefix = prefix_of(resource_of(name))
        response = yield from ask(etcd.Range(key=prefix, range_end=etcd.prefix_end(prefix), keys_only=True))
        assert isinstance(response, etcd.RangeResponse), f"a read answered with {response!r}"
        keys += [kv.key for kv in response.kvs]
        revision = response.revision
    return frozenset(keys), revision


def _key(obj: KubeObject) -> str:
    return key_of(resource_for(obj.kind, obj.api_version), obj.namespace, obj.name)


def _new(ctx: Context, obj: KubeObject) -> KubeObject:
    return prepare_create(
        obj, uid=new_uid(ctx.rng), name=obj.name, namespace=obj.namespace, now_ns=ctx.wall_ns()
    )
