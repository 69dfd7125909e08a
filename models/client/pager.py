"""A list in pages: 500 objects at a time, and whole after all when the pages expire meanwhile.

Two faces on the same rules: `Pager` for handlers (the reflector), `list_pages` for tasks (kubectl, controllers).
A version is asked for on the first page alone; the others say only where to go on.

Source: staging/src/k8s.io/client-go/tools/pager/pager.go.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from chaoskube.models.apiserver.api import LIST, ListOptions, ObjectList, Request, Response, Status
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.watch_errors import is_expired
from chaoskube.models.objects import KubeObject
from chaoskube.sim import ModelBug, Unsure, reached

PAGE_SIZE = 500


class Pages:
    """The pages of one list so far, and what to ask for next. Pure."""

    def __init__(self, options: ListOptions, page_size: int) -> None:
        self._asked = options
        self.options = evolve(options, limit=options.limit or page_size)
        self.items: list[KubeObject] = []
        self.is_paginated = False

    def take(self, page: ObjectList) -> ObjectList | None:
        """One more page; the whole list when it was the last."""
        if not page.continue_token and not self.items:
            return page
        self.items += page.items
        if not page.continue_token:
            return evolve(page, items=tuple(self.items), continue_token="", remaining_item_count=None)
        self.is_paginated = True
        self.options = evolve(
            self.options,
            continue_token=page.continue_token,
            resource_version="",
            resource_version_match="",
        )
        return None

    def fall_back(self, status: Status) -> bool:
        """Whether the pages expired on the way, so that everything is asked for at once."""
        if not is_expired(status) or not self.options.continue_token:
            return False
        reached("pages expired, list whole")
        self.items = []
        self.options = evolve(self._asked, limit=0, continue_token="")
        return True


class Pager:
    """Lists `resource`; `on_done` hears the whole list, the Status that refused it, or an Unsure."""

    def __init__(
        self,
        client: ApiClient,
        resource: str,
        namespace: str,
        options: ListOptions,
        page_size: int,
        on_done: Callable[[Pager, ObjectList | Status | Unsure], None],
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._pages = Pages(options, page_size)
        self._on_done = on_done
        self._ask()

    @property
    def is_paginated(self) -> bool:
        """Whether the server really gave it in pages."""
        return self._pages.is_paginated

    def _ask(self) -> None:
        self._client.request(
            list_request(self._resource, self._namespace, self._pages.options), self._answered
        )

    def _answered(self, answer: Response | Unsure) -> None:
        if isinstance(answer, Unsure):
            self._on_done(self, answer)
        elif isinstance(answer.body, ObjectList):
            whole = self._pages.take(answer.body)
            if whole is None:
                self._ask()
            else:
                self._on_done(self, whole)
        elif isinstance(answer.body, Status):
            if self._pages.fall_back(answer.body):
                self._ask()
            else:
                self._on_done(self, answer.body)
        else:
            raise ModelBug(f"a list was answered with {answer.body!r}")


async def list_pages(
    client: ApiClient,
    resource: str,
    namespace: str = "",
    options: ListOptions | None = None,
    *,
    page_size: int = PAGE_SIZE,
) -> ObjectList:
    """The whole list, page by page. Raises Refused or Unsure."""
    pages = Pages(options or ListOptions(), page_size)
    while True:
        answer = await client.answer(list_request(resource, namespace, pages.options))
        body = answer.body
        if isinstance(body, Status) and pages.fall_back(body):
            continue
        whole = pages.take(_list(client.checked(answer)))
        if whole is not None:
            return whole


def list_request(resource: str, namespace: str, options: ListOptions) -> Request:
    """The request for one page."""
    return Request(verb=LIST, resource=resource, namespace=namespace, options=options)


def _list(answer: Response) -> ObjectList:
    assert isinstance(answer.body, ObjectList), f"a list, not {answer.body!r}"
    return answer.body
