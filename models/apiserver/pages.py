"""Pages of a list: the continue token as the real server writes it, and what becomes of one that is too old.

All pages are read at the revision of the first. When etcd has forgotten that, the refusal brings a token with
which the rest can be read as it is now: an inconsistent list, for whoever can live with one.
Sources: staging/src/k8s.io/apiserver/pkg/storage/{continue.go,etcd3/errors.go}.

Called by `reads.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
import posixpath

from attrs import evolve, frozen

from chaoskube.models.apiserver.errors import ApiError, bad_request, expired

LATEST = -1
"""The revision in a token that goes on with what there is now."""
TOO_OLD = "The resourceVersion for the provided list is too old."
INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)
_VERSION = "meta.k8s.io/v1"


@frozen(kw_only=True)
class Page:
    """Where a list goes on: at which revision, from which key below the prefix."""

    revision: int
    start: str


def encode_token(page: Page) -> str:
    """The continue token, as the real server writes it."""
    tree = {"v": _VERSION, "rv": page.revision, "start": "/" + page.start}
    text = json.dumps(tree, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(token: str) -> Page:
    """What a token says, or 400."""
    try:
        padded = token + "=" * (-len(token) % 4)
        tree = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _invalid("continue key is not valid") from error
    if not isinstance(tree, dict) or tree.get("v") != _VERSION:
        version = tree.get("v", "") if isinstance(tree, dict) else ""
        raise _invalid(f"continue key is not valid: server does not recognize this encoded version {version}")
    revision, start = tree.get("rv", 0), tree.get("start", "")
    if not isinstance(revision, int) or not isinstance(start, str):
        raise _invalid("continue key is not valid")
    if revision == 0:
        raise _invalid(
            f"continue key is not valid: incorrect encoded start resourceVersion (version {_VERSION})"
        )
    if not start:
        raise _invalid(f"continue key is not valid: encoded start key empty (version {_VERSION})")
    key = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(key) != key:
        raise _invalid(f"continue key is not valid: {start}")
    return Page(revision=revision, start=key[1:])


def page_expired(page: Page) -> ApiError:
    """410, with a token to go on with what there is now."""
    error = expired(INCONSISTENT)
    token = encode_token(Page(revision=LATEST, start=page.start))
    return ApiError(evolve(error.status, continue_token=token))


def _invalid(why: str) -> ApiError:
    return bad_request(f"invalid continue token: {why}")
