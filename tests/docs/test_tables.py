"""The tables in our pages are what the code says; `pytest tests/docs --rewrite` writes them anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

import chaoskube
from chaoskube import arguments
from chaoskube.action import Action, actions, arguments_of
from chaoskube.bug import bugs
from chaoskube.cli import cli
from chaoskube.discovery import built_in, is_explored, load
from chaoskube.models.apps.behaviour import PREFIX, behaviour_of
from chaoskube.sim import UsageError, show
from tests.docs.markdown import PAGES, ROOT


def _invariants() -> list[str]:
    load()
    rules = {
        rule.name: rule
        for scenario in built_in()
        for rule in scenario.invariants
        if rule.function.__module__.startswith("chaoskube.")  # other tests install scenarios of their own
    }
    rows = [
        (f"`{name}`", f"{one.kind}, within {show(one.within_ns)}" if one.within_ns else one.kind, one.rule)
        for name, one in sorted(rules.items())
    ]
    return _table(("invariant", "kind", "rule"), rows)


def _actions() -> list[str]:
    load()
    rows = [
        (f"`{cls.verb}`", cls.kind, _sentence(cls.__doc__), ", ".join(_arguments(cls)))
        for cls in sorted(actions, key=lambda cls: (cls.kind != "operation", cls.verb))
        if cls.__module__.startswith("chaoskube.")
    ]
    return _table(("verb", "kind", "what it does", "arguments"), rows)


def _names() -> list[str]:
    """The public names, by where they stand."""
    homes: dict[str, list[str]] = {}
    for name in chaoskube.__all__:
        homes.setdefault(getattr(chaoskube, name).__module__, []).append(f"`{name}`")
    return _table(
        ("for", "names"), [(f"`{home}`", ", ".join(names)) for home, names in sorted(homes.items())]
    )


def _bugs() -> list[str]:
    """Planted bugs of our own, each with where it is known from and how it is met."""
    load()
    rows = [
        (
            f"`{one.slug}`",
            _sentence(one.doc),
            one.cites,
            " or ".join([one.scenario] * (not is_explored(one)) + ["`explore`"] * (one.bounds is not None)),
            ", ".join(f"`{name}`" for name in one.invariants),
        )
        for one in bugs
        if one.patch.__module__.startswith("chaoskube.")
    ]
    return _table(("bug", "what goes wrong", "known from", "found in", "caught by"), rows)


def _left_out(*rooms: str) -> list[str]:
    """What the heads of the files in these rooms say under `Not modelled:`."""
    rows = []
    for room in rooms:
        for path in sorted((ROOT / "models" / room).rglob("*.py")):
            head = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            _, found, words = head.partition("Not modelled: ")
            if found:
                rows.append(
                    (f"`{path.relative_to(ROOT / 'models')}`", " ".join(words.split("\n\n")[0].split()))
                )
    return _table(("file", "not modelled"), rows)


def _arguments(cls: type[Action]) -> Iterable[str]:
    return (f"`{name}=` {_words(argument)}" for name, argument in arguments_of(cls).items())


def _words(argument: object) -> str:
    match argument:
        case arguments.Target(kind=kind):
            return kind
        case arguments.Group(kind=kind, or_none=or_none):
            return f"{kind}s{' (or everybody else)' if or_none else ''}"
        case arguments.Duration(least_ns=least, most_ns=most):
            return f"time, {show(least)} to {show(most)}"
        case arguments.Integer(least=least, most=most):
            return f"{least} to {most}"
        case arguments.Choice(words=words):
            return f"{words[0]} (or {', '.join(words[1:])})"
        case arguments.Flag():
            return "no (or yes)"
        case arguments.Word(corpus=corpus):
            return f"any {corpus}"
    raise AssertionError(f"a new kind of argument: {argument!r}")


def _sentence(doc: str | None) -> str:
    return " ".join((doc or "").split("\n\n")[0].split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


TABLES: dict[str, Callable[[], list[str]]] = {
    "invariants": _invariants,
    "actions": _actions,
    "names": _names,
    "bugs": _bugs,
    "left out of Raft and etcd": lambda: _left_out("raft", "etcd"),
    "left out of the API server": lambda: _left_out("apiserver", "client"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_the_code_says(name: str, request: pytest.FixtureRequest) -> None:
    wanted = "\n".join(TABLES[name]())
    page, inside = _find(name)
    if request.config.getoption("--rewrite"):
        text = page.read_text(encoding="utf-8")
        page.write_text(
            text.replace(f"<!-- table: {name} -->\n{inside}", f"<!-- table: {name} -->\n{wanted}\n")
        )
        return

    assert inside.strip() == wanted, f"{page.relative_to(ROOT)}: `pytest tests/docs --rewrite` writes it anew"


def _find(name: str) -> tuple[Path, str]:
    """The page with this table, and what stands in it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        found = re.search(rf"<!-- table: {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
        if found:
            return page, found[1]
    raise AssertionError(f"no page has the table {name}")


def test_every_annotation_is_documented() -> None:
    page = (ROOT / "docs" / "applications.md").read_text(encoding="utf-8")
    documented = sorted(set(re.findall(rf"`({re.escape(PREFIX)}[\w-]+)`", page)))
    with pytest.raises(UsageError) as problem:
        behaviour_of({PREFIX + "unknown": ""}, "here")

    assert documented == sorted(str(problem.value).partition("there are ")[2].split(", "))


def test_every_option_of_the_command_line_is_documented() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.exists())
    options = {
        option
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }

    assert (
        sorted(option for option in options if f"`{option}" not in pages and f" {option}" not in pages) == []
    )


def test_links_between_our_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        if page.exists()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []
