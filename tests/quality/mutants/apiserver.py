"""Mutants of the API server's writes, and of who may make them."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.apiserver import deletion, strategy, writes
from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.authorization import authorizer
from chaoskube.models.apiserver.authorization.authorizer import Authorizer
from chaoskube.models.apiserver.deletion import Deletion, decide
from chaoskube.models.apiserver.flow import Flow
from chaoskube.models.apiserver.storage import Change, Saved, guaranteed_update
from chaoskube.models.objects import KubeObject, ObjectMeta, validation
from chaoskube.models.objects.causes import Cause
from chaoskube.models.objects.resources import Resource
from chaoskube.scenarios.bugs.apiserver_binding_ignores_uid import apiserver_binding_ignores_uid
from chaoskube.scenarios.bugs.watchcache_bookmark_timer_drops_watchers import (
    watchcache_bookmark_timer_drops_watchers,
)
from tests.quality.mutant import mutant


@mutant("no-update-is-lost", scenario="rolling-update")
def versions_are_not_compared() -> Iterator[None]:
    """A PUT is taken whatever version it was made for."""
    with patched(writes, "_check_version", lambda wanted, current, resource: None):
        yield


@mutant("a-write-is-what-is-stored", scenario="rolling-update")
def answers_with_the_first_attempt() -> Iterator[None]:
    """A write that had to be tried again is answered with what the first attempt made."""

    def update(key: str, cached: KubeObject | None, change: Change) -> Flow[Saved]:
        made: list[KubeObject] = []

        def changed(current: KubeObject | None) -> Flow[KubeObject]:
            made.append((yield from change(current)))
            return made[-1]

        saved = yield from guaranteed_update(key, cached, changed)
        if saved.obj is None or not saved.wrote:
            return saved
        first = evolve(made[0], metadata=evolve(made[0].metadata, resource_version=str(saved.revision)))
        return evolve(saved, obj=first)

    with patched(writes, "guaranteed_update", update):
        yield


@mutant("a-write-for-one-uid-changes-no-other", scenario="api-machinery")
def namesakes_are_bound() -> Iterator[None]:
    """The planted bug apiserver-binding-ignores-uid: a binding is carried out on whoever has the pod's name."""
    with apiserver_binding_ignores_uid.patch():
        yield


@mutant("an-object-keeps-its-identity", scenario="rolling-update")
def what_is_left_out_is_taken_away() -> Iterator[None]:
    """An update without a deletion timestamp takes it away, and nobody checks it."""
    kept = strategy._kept_metadata

    def as_sent(new: ObjectMeta, old: ObjectMeta) -> ObjectMeta:
        return evolve(kept(new, old), deletion_timestamp=None)

    def anything_goes(old: ObjectMeta, new: ObjectMeta) -> Iterator[Cause]:
        yield from ()

    with (
        patched(strategy, "_kept_metadata", as_sent),
        patched(validation, "check_meta_update", anything_goes),
    ):
        yield


@mutant("nothing-goes-while-a-finalizer-stands", scenario="database-operator")
def finalizers_are_not_waited_for() -> Iterator[None]:
    """What has no grace is removed at once, whoever still has something to clean up."""

    def at_once(*args: object, **options: object) -> Deletion:
        decided = decide(*args, **options)  # type: ignore[arg-type]  # handed on as they came
        is_marked = decided.mark is not None and not decided.mark.metadata.deletion_grace_period_seconds
        return Deletion(remove=True) if is_marked else decided

    with patched(deletion, "decide", at_once):
        yield


@mutant("nobody-exceeds-rbac", scenario="database-operator")
def what_was_allowed_stays_allowed() -> Iterator[None]:
    """A server remembers what it has allowed, and does not look whether the roles have changed since."""

    def remembers(self: Authorizer, request: Request, resource: Resource) -> bool:
        return authorizer._asked(request, resource) in self._allowed

    with patched(Authorizer, "remembers", remembers):
        yield


@mutant("watches-get-bookmarks", scenario="api-machinery")
def some_are_not_put_back() -> Iterator[None]:
    """The planted bug watchcache-bookmark-timer-drops-watchers: whoever is due too early is never due again."""
    with watchcache_bookmark_timer_drops_watchers.patch():
        yield
