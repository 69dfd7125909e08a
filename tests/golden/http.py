"""HTTP-like requests from a process of the tests to the simulated API server: path and JSON in, code and JSON out.

Who calls it: the player (the scenario's commands), the stand-in kubelet, the recorder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from chaoskube.models.apiserver.api import Response
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.paths import NoSuchPath, answer_of, error_answer, to_request
from chaoskube.models.client.api import ApiClient
from chaoskube.sim import Process, Reply, Unsure

from .trees import Json, Tree

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


@frozen(kw_only=True)
class Answer:
    """What came back; status None: nothing did."""

    status: int | None
    body: Json


class Door:
    """Sends requests as one user."""

    def __init__(self, process: Process, client: ApiClient) -> None:
        self._process = process
        self._client = client

    def send(
        self,
        method: str,
        path: str,
        on_answer: Callable[[Answer], None],
        *,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        body: Json = None,
    ) -> None:
        """Send a request; `on_answer` hears what came back, once."""
        try:
            request = to_request(method, path, query, content_type, body, user=self._client.user)
        except (ApiError, NoSuchPath) as error:
            status, tree = error_answer(error)
            on_answer(Answer(status=status, body=tree))
            return

        def heard(outcome: Response | Unsure) -> None:
            if isinstance(outcome, Unsure):
                on_answer(Answer(status=None, body=None))
            else:
                status, tree = answer_of(outcome)
                on_answer(Answer(status=status, body=tree))

        self._client.request(request, heard)

    async def ask(
        self, method: str, path: str, body: Tree | None = None, *, content_type: str = JSON
    ) -> Answer:
        """The answer to a request, for tasks."""
        reply: Reply[Answer] = self._process.reply()
        self.send(method, path, reply.set, content_type=content_type if body is not None else None, body=body)
        return await reply.wait()
