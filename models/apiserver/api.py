"""What clients and API servers say to each other: requests, answers, watch events, errors.

One client opens one connection (label "api") for its requests and sends `Request`s over it; answers are
`Response`s with the request's `id`, in any order. A watch is a `Request` with verb "watch" on a connection of
its own (label "watch/<resource>"): the server sends `WatchEvent`s until either side closes; if it refuses
the watch as a whole it sends one `Response` with a `Status` and closes. An error on a running watch is a
`WatchEvent` of type "ERROR" that holds a `Status` (410 Expired), then the connection is closed.

Objects travel as themselves (frozen, shared); only patches and bodies that came as YAML or JSON are trees.
Times are nanoseconds; what Kubernetes counts in seconds keeps `_seconds` in its name.
Sources: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go, pkg/api/errors/errors.go.

Not modelled: impersonation; a `user` without a token is believed (as a certificate would be).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from attrs import frozen

from chaoskube.sim import canonical

if TYPE_CHECKING:
    from chaoskube.models.objects import KubeObject

API_PORT = 6443

GET = "get"
LIST = "list"
WATCH = "watch"
CREATE = "create"
UPDATE = "update"
PATCH = "patch"
DELETE = "delete"
DELETE_COLLECTION = "deletecollection"
DISCOVER = "discover"
"""Which custom resources there are: a request about no resource, answered with their definitions."""
WRITE_VERBS = frozenset({CREATE, UPDATE, PATCH, DELETE, DELETE_COLLECTION})

MERGE = "merge"
STRATEGIC = "strategic"
JSON = "json"
APPLY = "apply"

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
ERROR = "ERROR"

EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"

BACKGROUND = "Background"
FOREGROUND = "Foreground"
ORPHAN = "Orphan"

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@frozen(kw_only=True)
class ListOptions:
    """The query of a LIST, WATCH or DELETECOLLECTION, as in meta/v1 ListOptions."""

    resource_version: str = ""
    resource_version_match: str = ""
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    allow_watch_bookmarks: bool = False
    send_initial_events: bool = False
    begin_now: bool = False
    """sendInitialEvents=false was said: a watch without a version doesn't begin with what there is."""
    timeout_ns: int | None = None


@frozen(kw_only=True)
class Preconditions:
    """What must be true of an object for a delete to happen; None: don't care."""

    uid: str | None = None
    resource_version: str | None = None


@frozen(kw_only=True)
class DeleteOptions:
    """The body of a DELETE, as in meta/v1 DeleteOptions."""

    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    """The old way to ask for Orphan (or, false, for Background); only one of the two may be given."""


_NO_OPTIONS: Final = ListOptions()
_NO_DELETE_OPTIONS: Final = DeleteOptions()


@frozen(kw_only=True)
class Request:
    """One request of `user`. `body` is an object, or a tree of mappings and tuples (patches are trees).

    `client` is the program that asks (its user agent): the name of the field manager unless one is given.
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    id: int = 0
    user: str = ""
    groups: tuple[str, ...] = ()
    client: str = ""
    token: str = ""
    """A service account's token, in place of a user."""
    body: KubeObject | Mapping[str, object] | tuple[object, ...] | None = None
    patch_type: str = ""
    resource_version: str = ""
    options: ListOptions = _NO_OPTIONS
    delete_options: DeleteOptions = _NO_DELETE_OPTIONS
    field_validation: str = ""
    field_manager: str = ""
    force: bool = False
    dry_run: bool = False
    body_bytes: int = 0
    """How large the body was where it came over HTTP; what components of the cluster send isn't measured."""

    def digest_text(self) -> str:
        """Everything it asks for, in short; groups and client go with the user."""
        head = (
            f"{self.id} {self.user} {self.verb} {self.resource}/{self.namespace}/{self.name}/{self.subresource} "
            f"{self.patch_type} {self.resource_version} {self.field_validation} {self.dry_run} "
        )
        if self.options is not _NO_OPTIONS:
            head += canonical(self.options)
        if self.delete_options is not _NO_DELETE_OPTIONS:
            head += canonical(self.delete_options)
        if self.force or self.field_manager:
            head += f"{self.field_manager} {self.force} "
        if self.token:
            head += f"{self.token} "
        return head if self.body is None else head + canonical(self.body)


@frozen(kw_only=True)
class Cause:
    """One reason inside a Status: a field and what is wrong with it."""

    reason: str = ""
    message: str = ""
    field: str = ""


@frozen(kw_only=True)
class Status:
    """The answer that carries no object: an error, or the success of a delete."""

    code: int
    reason: str = ""
    message: str = ""
    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after_seconds: int = 0
    continue_token: str = ""

    @property
    def is_success(self) -> bool:
        """Whether this says "done" and not "refused"."""
        return self.code < 400

    @property
    def is_definite(self) -> bool:
        """Whether a refused write certainly had no effect; a 500 or 504 leaves that open (etcd may have done it)."""
        return self.code < 500 or bool(self.reason and self.reason not in ("Timeout", "ServerTimeout"))

    def __str__(self) -> str:
        return f"{self.code} {self.reason}: {self.message}" if self.reason else f"{self.code} {self.message}"


@frozen(kw_only=True)
class ObjectList:
    """The answer to a LIST: objects in the order of their keys, and the revision they were read at."""

    kind: str
    api_version: str
    resource_version: str
    items: tuple[KubeObject, ...] = ()
    continue_token: str = ""
    remaining_item_count: int | None = None


@frozen(kw_only=True)
class Response:
    """The answer to the request with this `id`; `code` is the HTTP status."""

    id: int
    code: int
    body: KubeObject | ObjectList | Status
    warnings: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether the request was done."""
        return self.code < 400

    def digest_text(self) -> str:
        """The answer in short: objects have digests of their own."""
        return f"{self.id} {self.code} {canonical(self.body)}"


@frozen(kw_only=True)
class Bookmark:
    """The object of a BOOKMARK event: a kind and a revision, nothing else."""

    kind: str
    api_version: str
    resource_version: str
    initial_events_end: bool = False


@frozen
class WatchEvent:
    """One event of a watch: ADDED, MODIFIED, DELETED (last state), BOOKMARK or ERROR."""

    type: str
    object: KubeObject | Bookmark | Status

    def digest_text(self) -> str:
        """The event in short: objects have digests of their own."""
        return f"{self.type} {canonical(self.object)}"
