"""Pages of a list: the continue token as the real server writes it, and what becomes of one that is too old.

All pages are read at the revision of the first. When etcd has forgotten that, the refusal brings a token with
which the rest can be read as it is now: an inconsistent list, for whoever can live with one.
Sources: staging/src/k8s.io/apiserver/pkg/storage/{continue.go,etcd3/errors.go}.

Called by `reads.py`.
Not modelled: what Go says of JSON that begins well and breaks off or goes wrong later.
"""

from __future__ import annotations

import base64
import json
import posixpath
import string
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from chaoskube.models.apiserver.errors import ApiError, bad_request, expired
from chaoskube.models.apiserver.unmarshal import json_type

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
_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")
_FIELDS: Mapping[str, tuple[type, str]] = {
    "v": (str, "string"),
    "rv": (int, "int64"),
    "start": (str, "string"),
}


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
    tree = _object_in(_bytes_of(token))
    if tree.get("v") != _VERSION:
        version = tree.get("v", "")
        raise _invalid(f"continue key is not valid: server does not recognize this encoded version {version}")
    revision, start = tree.get("rv", 0), tree.get("start", "")
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


def _bytes_of(token: str) -> bytes:
    """Base64 without padding; Go names the byte where it stops being that."""
    signs = token.replace("\r", "").replace("\n", "")
    for place, sign in enumerate(token):
        if sign not in _ALPHABET and sign not in "\r\n":
            raise _unreadable(f"illegal base64 data at input byte {place}")
    if len(signs) % 4 == 1:
        raise _unreadable(f"illegal base64 data at input byte {len(token) - 1}")
    return base64.b64decode(signs + "=" * (-len(signs) % 4), altchars=b"-_")


def _object_in(data: bytes) -> dict[str, Any]:
    """The JSON object that a token is, with fields of the right types; Go says what else it found."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable(_json_error(data)) from error
    if not isinstance(tree, dict):
        raise _unreadable(
            f"json: cannot unmarshal {json_type(tree)} into Go value of type storage.continueToken"
        )
    for name, (wanted, go_type) in _FIELDS.items():
        value = tree.get(name)
        if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            where = f"Go struct field continueToken.{name} of type {go_type}"
            raise _unreadable(f"json: cannot unmarshal {json_type(value)} into {where}")
    return {name: value for name, value in tree.items() if value is not None}


def _json_error(data: bytes) -> str:
    """What Go's decoder says of what cannot even begin a value (encoding/json, scanner.go)."""
    begun = data.lstrip(b" \t\r\n")
    if not begun:
        return "unexpected end of JSON input"
    return f"invalid character {_quoted(begun[0])} looking for beginning of value"


def _quoted(byte: int) -> str:
    if byte < 0x20 or byte == 0x7F:
        return f"'\\x{byte:02x}'"
    sign = chr(byte)
    return f"'{sign}'" if sign.isprintable() else f"'\\u{byte:04x}'"


def page_expired(page: Page) -> ApiError:
    """410, with a token to go on with what there is now."""
    error = expired(INCONSISTENT)
    token = encode_token(Page(revision=LATEST, start=page.start))
    return ApiError(evolve(error.status, continue_token=token))


def _unreadable(why: str) -> ApiError:
    return _invalid(f"continue key is not valid: {why}")


def _invalid(why: str) -> ApiError:
    return bad_request(f"invalid continue token: {why}")
