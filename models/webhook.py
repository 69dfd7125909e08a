"""An admission webhook as a component: a process that API servers ask, with an answer that a test or scenario programs.

It can be slow (`delay_ns`), silent (`delay_ns` beyond the server's patience), wrong (an answer to another question, a patch
that cannot be applied), or down (crash the process, cut its host off). Each question is journalled.

    world.process("policy", host="node-1", boot=lambda p: boot_webhook(p, deny_unlabelled))

Source: staging/src/k8s.io/api/admission/v1/types.go. Booted by scenarios and tests.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.models.apiserver.api import Status
from chaoskube.models.apiserver.webhook_calls import Review, Verdict
from chaoskube.sim import MILLISECOND, Connection, Process

WEBHOOK_PORT = 8443
HANDLING_NS = 1 * MILLISECOND

Decide = Callable[[Review], Verdict]


@frozen(kw_only=True)
class WebhookAsked:
    """A webhook was asked, and decided."""

    webhook: str
    operation: str
    resource: str
    key: str
    allowed: bool


def boot_webhook(
    process: Process, decide: Decide, port: int = WEBHOOK_PORT, *, delay_ns: int = HANDLING_NS
) -> None:
    """Answer whoever asks, as `decide` says, after `delay_ns`."""

    def on_connect(connection: Connection) -> None:
        def on_message(message: object) -> None:
            process.call_later(delay_ns, answer, message, connection)

        connection.on_message = on_message

    def answer(message: object, connection: Connection) -> None:
        assert isinstance(message, Review), f"a webhook is asked with a Review, not {message!r}"
        verdict = decide(message)
        process.record(
            WebhookAsked(
                webhook=process.name,
                operation=message.operation,
                resource=message.resource,
                key=f"{message.namespace}/{message.name}" if message.namespace else message.name,
                allowed=verdict.allowed,
            )
        )
        if connection.is_open:
            connection.send(verdict)

    process.listen(port, on_connect)


def allow(review: Review, *patch: dict[str, object]) -> Verdict:
    """Yes, with these changes."""
    return Verdict(uid=review.uid, allowed=True, patch=patch)


def deny(review: Review, why: str, code: int = 403) -> Verdict:
    """No."""
    return Verdict(uid=review.uid, allowed=False, status=Status(code=code, message=why))
