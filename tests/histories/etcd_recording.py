"""Reads a history of a real etcd: gzip, one JSON object a line, as its JSON gateway speaks.

Requests and answers become the values of `chaoskube.models.etcd.messages`. Revisions inside a transaction's answer mean
nothing in etcd and are read as 0. `etcd_rules.py` judges what is read.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from chaoskube.history import Operation
from chaoskube.models.etcd.messages import (
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    EventType,
    KeyValue,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from chaoskube.sim import UsageError

Json = Mapping[str, object]
KvRequest = Range | Put | DeleteRange | Txn
KvResponse = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse
KvOperation = Operation[KvRequest, KvResponse]

_RESULTS = {
    "EQUAL": CompareResult.EQUAL,
    "NOT_EQUAL": CompareResult.NOT_EQUAL,
    "GREATER": CompareResult.GREATER,
    "LESS": CompareResult.LESS,
}


@frozen(kw_only=True)
class Batch:
    """What one watch was told at once: the events of one or more revisions."""

    time: int
    events: tuple[Event, ...]


@frozen(kw_only=True)
class Watch:
    """One stream of one member, from its first revision to where it broke."""

    member: str
    start_revision: int
    batches: list[Batch] = field(factory=list)


@frozen(kw_only=True)
class EtcdRecording:
    """All that clients asked and heard of one etcd."""

    name: str
    operations: tuple[KvOperation, ...]
    watches: tuple[Watch, ...]
    finals: Mapping[str, RangeResponse]
    is_compacted: bool


def is_etcd_recording(path: Path) -> bool:
    """Whether a file looks like one: gzip, and the first line says so."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return '"type":"meta"' in file.readline().replace(" ", "")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error):
        return False


def read_recording(path: Path) -> EtcdRecording:
    """The recording in a file that is whole."""
    reader = _Reader()
    number = 0
    for number, line in _numbered(path):
        try:
            reader.take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path.name}:{number}: {line.strip()[:80]!r} is no line of an etcd history ({error!r}); expected one"
                " JSON object of type meta, kv, watch-open, watch-response, watch-broken, fault, compact or final"
            ) from error
    if not reader.finals:
        raise UsageError(f"{path.name}:{number}: the last line is not of type final; the file was cut off")
    return EtcdRecording(
        name=path.name.removesuffix(".jsonl.gz"),
        operations=tuple(reader.operations),
        watches=tuple(reader.watches),
        finals=reader.finals,
        is_compacted=reader.is_compacted,
    )


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                yield number, line
    except (EOFError, zlib.error, OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name}:{number + 1}: the compressed file can't be read on ({error}); it was cut off or is damaged"
        ) from error


class _Reader:
    """Takes the lines in."""

    def __init__(self) -> None:
        self.operations: list[KvOperation] = []
        self.watches: list[Watch] = []
        self.finals: dict[str, RangeResponse] = {}
        self.is_compacted = False
        self._open: dict[object, Watch] = {}

    def take(self, line: Json) -> None:
        """One line; kinds that say nothing about the history are passed over."""
        kind = _text(line, "type")
        if kind == "kv":
            self._take_call(line)
        elif kind == "watch-open":
            request = _object(line, "request")
            watch = Watch(member=str(line["member"]), start_revision=_number(request, "start_revision"))
            self._open[line["watch"]] = watch
            self.watches.append(watch)
        elif kind == "watch-response":
            events = tuple(map(_event, _objects(_object(line, "response"), "events")))
            if events:
                self._open[line["watch"]].batches.append(Batch(time=_number(line, "time"), events=events))
        elif kind == "final":
            finals = _object(line, "members")
            self.finals = {member: _range_response(_object(finals, member)) for member in finals}
        elif kind == "compact":
            self.is_compacted = True
        elif kind not in ("meta", "watch-broken", "fault"):
            raise ValueError(f"type {kind}")

    def _take_call(self, line: Json) -> None:
        """A call; one that was refused for good (`unknown` is false) did nothing and is left out."""
        request = _request(_text(line, "path"), _object(line, "request"))
        client, call = _text(line, "client"), _number(line, "call")
        if "response" in line:
            response = _response(request, _object(line, "response"))
            returned = _number(line, "return")
            self.operations.append(
                Operation(client=client, input=request, output=response, call=call, returned=returned)
            )
        elif line["unknown"]:
            self.operations.append(Operation(client=client, input=request, call=call))


def _request(path: str, json: Json) -> KvRequest:
    if path == "/v3/kv/range":
        return _range(json)
    if path == "/v3/kv/put":
        return Put(key=_bytes(json, "key"), value=_bytes(json, "value"))
    if path == "/v3/kv/deleterange":
        return DeleteRange(key=_bytes(json, "key"), range_end=_bytes(json, "range_end"))
    if path != "/v3/kv/txn":
        raise ValueError(f"path {path}")
    return Txn(
        compare=tuple(map(_compare, _objects(json, "compare"))),
        success=tuple(map(_request_op, _objects(json, "success"))),
        failure=tuple(map(_request_op, _objects(json, "failure"))),
    )


def _request_op(json: Json) -> KvRequest:
    paths = {"request_range": "range", "request_put": "put", "request_delete_range": "deleterange"}
    ((name, request),) = json.items()
    return _request(f"/v3/kv/{paths[name]}", _object({name: request}, name))


def _range(json: Json) -> Range:
    return Range(
        key=_bytes(json, "key"), range_end=_bytes(json, "range_end"), revision=_number(json, "revision")
    )


def _compare(json: Json) -> Compare:
    if _text(json, "target") != "MOD":
        raise ValueError(f"comparison of {json['target']}")
    return Compare(
        key=_bytes(json, "key"),
        target=CompareTarget.MOD,
        result=_RESULTS[str(json.get("result", "EQUAL"))],
        value=_number(json, "mod_revision"),
    )


def _response(request: KvRequest, json: Json) -> KvResponse:
    revision = _number(_object(json, "header"), "revision")
    if isinstance(request, Range):
        return _range_response(json)
    if isinstance(request, Put):
        return PutResponse(revision=revision)
    if isinstance(request, DeleteRange):
        return DeleteRangeResponse(revision=revision, deleted=_number(json, "deleted"))
    succeeded = bool(json.get("succeeded", False))
    branch = request.success if succeeded else request.failure
    answers = _objects(json, "responses")
    return TxnResponse(
        revision=revision,
        succeeded=succeeded,
        responses=tuple(_response_op(*pair) for pair in zip(branch, answers, strict=True)),
    )


def _response_op(request: KvRequest, json: Json) -> KvResponse:
    """An answer inside a transaction, without its revision."""
    ((_, answer),) = json.items()
    inner = dict(answer) if isinstance(answer, dict) else {}
    return _response(request, {**inner, "header": {"revision": "0"}})


def _range_response(json: Json) -> RangeResponse:
    return RangeResponse(
        revision=_number(_object(json, "header"), "revision"),
        kvs=tuple(map(_key_value, _objects(json, "kvs"))),
        count=_number(json, "count"),
    )


def _event(json: Json) -> Event:
    kind = EventType.DELETE if json.get("type") == "DELETE" else EventType.PUT
    kv = _key_value(_object(json, "kv"))
    previous = _key_value(_object(json, "prev_kv")) if "prev_kv" in json else None
    return Event(type=kind, kv=kv, prev_kv=previous)


def _key_value(json: Json) -> KeyValue:
    return KeyValue(
        key=_bytes(json, "key"),
        value=_bytes(json, "value") if "value" in json else None,
        create_revision=_number(json, "create_revision"),
        mod_revision=_number(json, "mod_revision"),
        version=_number(json, "version"),
    )


def _bytes(json: Json, name: str) -> str:
    return base64.b64decode(str(json.get(name, "")), validate=True).decode()


def _number(json: Json, name: str) -> int:
    return int(str(json.get(name, 0)))


def _text(json: Json, name: str) -> str:
    return str(json[name])


def _object(json: Json, name: str) -> Json:
    value = json[name]
    if not isinstance(value, dict):
        raise TypeError(f"{name} is no object")
    return value


def _objects(json: Json, name: str) -> Sequence[Json]:
    value = json.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TypeError(f"{name} is no list of objects")
    return value
