"""The short run of the fuzzer, and proof that its oracle sees what it is there for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.apiserver import handlers
from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.errors import bad_request
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.writes import Done
from chaoskube.sim import World

from .hunt import Offence, Trial, hunt, minimised
from .oracle import of_refusal
from .requests import JSON, Sent
from .server import Answer, Bench

REQUESTS = 1500


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A furnished server."""
    with World(seed=0) as world:
        yield Bench(world)


def test_every_request_ends_in_a_proper_answer_and_refusals_change_nothing() -> None:
    """More of them: python -m tests.fuzzing --requests 50000 --seed 1."""
    report = hunt(0, REQUESTS)

    assert [(one.sent.line(), one.what) for one in report.offences] == []
    assert {code for _, code in report.codes} >= {200, 201, 400, 404, 405, 409, 415, 422}
    assert {method for method, _ in report.codes} >= {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize(
    "change",
    [{"code": 403}, {"kind": "Nothing"}, {"message": ""}, {"reason": "Because"}, {"status": "Success"}],
)
def test_a_refusal_that_is_no_proper_status_is_seen(bench: Bench, change: dict[str, object]) -> None:
    refusal = bench.send(Sent(method="GET", path="/api/v1/nodes/nobody", query={}))
    spoiled = Answer(code=refusal.code, tree={**refusal.tree, **change})

    assert list(of_refusal(refusal)) == []
    assert list(of_refusal(spoiled)) != []


def test_a_refusal_that_wrote_and_a_crash_are_seen_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the oracle is for, planted into the door of all handlers."""
    handle = handlers.handle

    def planted(ctx: Context, request: Request) -> Flow[Done]:
        done = yield from handle(ctx, request)
        if "zone" in str(request.body):
            raise bad_request("planted")
        if "crash" in str(request.body):
            raise KeyError("planted")
        return done

    monkeypatch.setattr(handlers, "handle", planted)
    for word, seen in (
        ("zone", "POST answered with 400 changed /registry/configmaps/team/a"),
        ("crash", "KeyError"),
    ):
        body = {"metadata": {"name": "a", "labels": {word: "1"}}, "data": {"a": "b"}}
        path = "/api/v1/namespaces/team/configmaps"
        sent = Sent(method="POST", path=path, query={"fieldManager": "x"}, content_type=JSON, body=body)
        with World(seed=0) as world:
            wrong = Trial(world).judge(sent)[1]
        small = minimised(Offence(sent=sent, what=wrong, before=(), place=1))

        assert seen in wrong
        assert "data" not in small.sent.body and word in str(small.sent.body) and not small.sent.query
