"""etcd's error answers, in its own words (api/v3rpc/rpctypes/error.go): code and message are what a client sees.

Used through `messages.py` by the member, which answers them, and by clients, which tell them apart.
Not modelled: the errors of authentication and of downgrades.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen


@frozen(kw_only=True)
class EtcdError:
    """An error answer. `is_definite` says that the request had no effect and never will."""

    code: str
    message: str
    is_definite: bool = field(default=True)

    def __str__(self) -> str:
        return self.message


def _error(code: str, message: str) -> EtcdError:
    return EtcdError(code=code, message=f"etcdserver: {message}")


def _unsure(message: str) -> EtcdError:
    """An answer after which the request may have happened, or may yet happen."""
    return EtcdError(code="Unavailable", message=f"etcdserver: {message}", is_definite=False)


# -- keys and transactions

EMPTY_KEY: Final = _error("InvalidArgument", "key is not provided")
KEY_NOT_FOUND: Final = _error("InvalidArgument", "key not found")
VALUE_PROVIDED: Final = _error("InvalidArgument", "value is provided")
LEASE_PROVIDED: Final = _error("InvalidArgument", "lease is provided")
TOO_MANY_OPERATIONS: Final = _error("InvalidArgument", "too many operations in txn request")
DUPLICATE_KEY: Final = _error("InvalidArgument", "duplicate key given in txn request")
INVALID_SORT_OPTION: Final = _error("InvalidArgument", "invalid sort option")
COMPACTED: Final = _error("OutOfRange", "mvcc: required revision has been compacted")
FUTURE_REVISION: Final = _error("OutOfRange", "mvcc: required revision is a future revision")
NO_SPACE: Final = _error("ResourceExhausted", "mvcc: database space exceeded")

# -- leases and watches

LEASE_NOT_FOUND: Final = _error("NotFound", "requested lease not found")
LEASE_EXISTS: Final = _error("FailedPrecondition", "lease already exists")
LEASE_TTL_TOO_LARGE: Final = _error("OutOfRange", "too large lease TTL")
WATCH_CANCELED: Final = _error("Canceled", "watch canceled")

# -- members

MEMBER_EXISTS: Final = _error("FailedPrecondition", "member ID already exist")
PEER_URL_EXISTS: Final = _error("FailedPrecondition", "Peer URLs already exists")
MEMBER_NOT_ENOUGH_STARTED: Final = _error(
    "FailedPrecondition", "re-configuration failed due to not enough started members"
)
MEMBER_BAD_URLS: Final = _error("InvalidArgument", "given member URLs are invalid")
MEMBER_NOT_FOUND: Final = _error("NotFound", "member not found")
MEMBER_NOT_LEARNER: Final = _error("FailedPrecondition", "can only promote a learner member")
LEARNER_NOT_READY: Final = _error(
    "FailedPrecondition", "can only promote a learner member which is in sync with leader"
)
TOO_MANY_LEARNERS: Final = _error("FailedPrecondition", "too many learner members in cluster")
CLUSTER_ID_MISMATCH: Final = _error("FailedPrecondition", "cluster ID mismatch")
NOT_SUPPORTED_FOR_LEARNER: Final = _error("Unavailable", "rpc not supported for learner")
BAD_LEADER_TRANSFEREE: Final = _error("FailedPrecondition", "bad leader transferee")

# -- the server

REQUEST_TOO_LARGE: Final = _error("InvalidArgument", "request is too large")
TOO_MANY_REQUESTS: Final = _error("ResourceExhausted", "too many requests")
NO_LEADER: Final = _error("Unavailable", "no leader")
NOT_LEADER: Final = _error("FailedPrecondition", "not leader")
LEADER_CHANGED: Final = _error("Unavailable", "leader changed")
NOT_CAPABLE: Final = _error("Unavailable", "not capable")
STOPPED: Final = _unsure("server stopped")
TIMED_OUT: Final = _unsure("request timed out")
TIMED_OUT_LEADER_LOST: Final = _unsure("request timed out, possibly due to previous leader failure")
TIMED_OUT_CONNECTION_LOST: Final = _unsure("request timed out, possibly due to connection lost")
TIMED_OUT_WAITING_TO_APPLY: Final = _unsure("request timed out, waiting for the applied index took too long")
UNHEALTHY: Final = _error("Unavailable", "unhealthy cluster")
CORRUPT_CLUSTER: Final = _error("DataLoss", "corrupt cluster")
REQUEST_CANCELED: Final = EtcdError(
    code="Canceled", message="etcdserver: request canceled", is_definite=False
)
DEADLINE_EXCEEDED: Final = EtcdError(
    code="DeadlineExceeded", message="context deadline exceeded", is_definite=False
)
