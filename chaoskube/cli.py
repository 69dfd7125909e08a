"""The command line: hunt, replay, minimise, explore, list. One table of exit codes for all:

    0  as hoped
    1  a violation (with `--expect violation`: none was found)
    2  bad usage or input; stopped by hand
    3  the harness itself is in doubt: a digest that differs, an error of chaoskube's own

Commands only parse, call and print; what they do stands in `hunting.py` and the modules it uses, which are
imported when a command runs. No user ever sees a traceback, unless CHAOSKUBE_TRACEBACK is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from chaoskube.sim.errors import ChaoskubeError, UsageError
from chaoskube.sim.units import SECOND, seconds

AS_HOPED = 0
VIOLATION = 1
BAD_INPUT = 2
IN_DOUBT = 3
EXIT_CODES = "Exit codes: 0 as hoped, 1 a violation, 2 bad usage or input, 3 the harness itself is in doubt."

EXPECT = click.option(
    "--expect",
    type=click.Choice(["nothing", "violation"]),
    default="nothing",
    help="What is hoped for; finding the other makes the exit code 1.",
    show_default=True,
)
QUIET = click.option("--quiet", "-q", is_flag=True, help="Print the verdict only.")
TRACE = click.argument("trace", type=click.Path(path_type=Path))


class _Span(click.ParamType[float]):
    """A time span on the command line: seconds, or 90s, 5m."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            span = seconds(str(value)) / SECOND
        except UsageError as problem:
            self.fail(str(problem), param, ctx)
        if span == 0:
            self.fail(f"{value!r} must be more than nothing, like 90s or 5m", param, ctx)
        return span


class _Whole(click.ParamType[int]):
    """A whole number on the command line, with bounds."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least = least
        self.most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        bounds = f"from {self.least} to {self.most}" if self.most is not None else f"{self.least} or more"
        try:
            number = int(str(value))
        except ValueError:
            self.fail(f"{value!r} must be a whole number, {bounds}", param, ctx)
        if number < self.least or (self.most is not None and number > self.most):
            self.fail(f"{number} must be {bounds}", param, ctx)
        return number


class _Commands(click.Group):
    """The commands below, and those that are installed beside them (entry points of `chaoskube.commands`)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from chaoskube.discovery import command_names

        return sorted({*super().list_commands(ctx), *command_names()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from chaoskube.discovery import command_named

        return super().get_command(ctx, cmd_name) or command_named(cmd_name)


@click.group(cls=_Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chaoskube")
def cli() -> None:
    """Find the failure in an orchestrator before the cluster does."""


@cli.command(short_help="Hunt for violations, in scenarios or manifests.", epilog=EXIT_CODES)
@click.argument("what", nargs=-1)
@click.option(
    "--for",
    "for_seconds",
    type=_Span(),
    help="How long to hunt, like 90s or 5m; 60s when --examples is not given either.",
)
@click.option("--examples", type=_Whole(1), help="How many runs at most.")
@click.option("--seed", type=_Whole(0), help="The hunt's seed; fresh and printed when not given.")
@click.option("--bug", help="Plant this bug first (`chaoskube list bugs`).")
@click.option(
    "--without", multiple=True, metavar="VERB", help="Take an action off the menu; may be given again."
)
@click.option(
    "--invariants",
    multiple=True,
    metavar="FILE.py",
    help="Check the invariants in this file too; may be given again.",
)
@click.option("--workers", type=_Whole(1, 256), help="Processes to hunt with (one a core).")
@click.option("--all", "keep_going", is_flag=True, help="Go on after the first violation.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("chaos-traces"),
    help="Where traces go.",
    show_default=True,
)
@EXPECT
@QUIET
def hunt(
    what: tuple[str, ...],
    for_seconds: float | None,
    examples: int | None,
    seed: int | None,
    bug: str | None,
    without: tuple[str, ...],
    invariants: tuple[str, ...],
    workers: int | None,
    keep_going: bool,
    out: Path,
    expect: str,
    quiet: bool,
) -> int:
    """Hunt for violations: in all built-in scenarios, in one by NAME, or in manifests.

    WHAT is a scenario's name, or files and folders of manifests (- is standard input).

    \b
    chaoskube hunt deploy/                     what breaks in these manifests?
    helm template CHART | chaoskube hunt -     in a chart?
    chaoskube hunt rolling-update --for 5m     in a built-in scenario?
    """
    from chaoskube.hunting import Order, hunt_and_tell

    order = Order(
        what=what,
        for_seconds=for_seconds if for_seconds is not None or examples is not None else 60.0,
        examples=examples,
        seed=seed,
        bug=bug,
        without=without,
        invariants=invariants,
        workers=workers if workers is not None else (os.cpu_count() or 1),
        at_first=not keep_going,
        out=out,
        quiet=quiet,
    )
    return _hoped(hunt_and_tell(order), expect)


@cli.command(short_help="Play a trace again and say what came of it.", epilog=EXIT_CODES)
@TRACE
@EXPECT
@QUIET
def replay(trace: Path, expect: str, quiet: bool) -> int:
    """Play a trace again: reproduced, reproduced differently, no longer fails, or cannot be applied."""
    from chaoskube.hunting import replay_and_tell

    code = replay_and_tell(trace, quiet=quiet)
    return code if code == BAD_INPUT else _hoped(code == VIOLATION, expect)


@cli.command(short_help="Make a failing trace shorter.", epilog=EXIT_CODES)
@TRACE
@click.option("--budget", type=_Span(), default="60s", help="How long to try, like 30s.", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the shorter trace goes (NAME.min.chaos.yaml)."
)
@QUIET
def minimise(trace: Path, budget: float, out: Path | None, quiet: bool) -> int:
    """Make a failing trace shorter, as far as the same invariant still breaks."""
    from chaoskube.hunting import minimise_and_tell

    minimise_and_tell(trace, budget_seconds=budget, out=out, quiet=quiet)
    return AS_HOPED


@cli.command(short_help="Search every state of a small cluster's core.", epilog=EXIT_CODES)
@click.argument("name", default="raft")
@click.option("--members", type=_Whole(1, 7), help="How many members; 3 says most, 5 takes long.")
@click.option("--depth", type=_Whole(0), help="The longest path, in steps.")
@click.option(
    "--time-outs", type=_Whole(0), help="Time-outs (elections) on one path, of all members together."
)
@click.option("--requests", type=_Whole(0), help="Requests of clients on one path.")
@click.option("--reads", type=_Whole(0), help="Reads of clients on one path.")
@click.option(
    "--crashes", type=_Whole(0), help="Losses of power on one path, between steps or during a write."
)
@click.option("--slow-writes", type=_Whole(0), help="Writes on one path during which other things happen.")
@click.option("--duplicates", type=_Whole(0), help="Messages that arrive twice on one path.")
@click.option(
    "--drops", type=_Whole(0), help="Messages lost on one path (those that never arrive are covered without)."
)
@click.option("--states", type=_Whole(1), help="The most states to keep, about 0.7 KB of memory each.")
@click.option(
    "--bug", help="Plant this bug first (`chaoskube list bugs`), and take the bounds that it needs."
)
@click.option(
    "--for",
    "for_seconds",
    type=_Span(),
    default="60s",
    show_default=True,
    help="How long to search, like 90s or 5m.",
)
@EXPECT
@QUIET
def explore(
    name: str, bug: str | None, for_seconds: float, expect: str, quiet: bool, **bounds: int | None
) -> int:
    """Search every state that a few members of a core can get into, within bounds, shortest paths first.

    NAME is an exploration (`chaoskube list explorations`). What is not given is as the exploration has it.

    \b
    chaoskube explore raft                                  is our Raft safe, as far as this goes?
    chaoskube explore raft --members 5 --depth 8            with five members
    chaoskube explore raft --bug raft-commit-prior-term     is a known mistake found?
    """
    from chaoskube.exploring import explore_and_tell

    given = {key: value for key, value in bounds.items() if value is not None}
    return _hoped(explore_and_tell(name, given, bug=bug, seconds=for_seconds, quiet=quiet), expect)


@cli.command("list", short_help="List scenarios, actions, invariants, explorations, bugs.", epilog=EXIT_CODES)
@click.argument(
    "kind",
    type=click.Choice(["all", "scenarios", "actions", "invariants", "explorations", "bugs"]),
    default="all",
)
def list_(kind: str) -> int:
    """List what there is: scenarios, actions, invariants, explorations, planted bugs."""
    from chaoskube.hunting import listing

    click.echo("\n".join(listing(kind)))
    return AS_HOPED


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and answer its exit code; errors become one sentence on standard error."""
    try:
        code = cli.main(args=arguments, prog_name="chaoskube", standalone_mode=False)
        return int(code) if isinstance(code, int) else AS_HOPED
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return BAD_INPUT
    except click.ClickException as problem:
        context = getattr(problem, "ctx", None)
        command = context.command_path if isinstance(context, click.Context) else "chaoskube"
        return _say(f"{problem.format_message().rstrip('.')} ({command} --help says more)", BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped by hand", BAD_INPUT)
    except (BrokenPipeError, SystemExit):
        # Nobody reads on (`| head`). click turns a broken pipe into SystemExit(1), which would say "a violation".
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # what is flushed at exit goes there
        return BAD_INPUT
    except UsageError as problem:
        return _say(str(problem), BAD_INPUT, problem)
    except ChaoskubeError as problem:
        return _say(f"in doubt: {problem}", IN_DOUBT, problem)
    except Exception as problem:  # noqa: BLE001  # nobody should meet a traceback
        sentence = f"chaoskube itself failed: {type(problem).__name__}: {problem}"
        return _say(f"{sentence} (CHAOSKUBE_TRACEBACK=1 shows where)", IN_DOUBT, problem)


def main() -> NoReturn:
    """The console script."""
    raise SystemExit(run())


def _hoped(has_violation: bool, expect: str) -> int:
    return AS_HOPED if has_violation == (expect == "violation") else VIOLATION


def _say(sentence: str, code: int, problem: BaseException | None = None) -> int:
    if problem is not None and os.environ.get("CHAOSKUBE_TRACEBACK"):
        import traceback

        traceback.print_exception(problem)
    click.echo(f"chaoskube: {' '.join(sentence.split())}", err=True)
    return code
