"""History files are read as they are meant, or refused with one sentence that names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.history import Operation
from chaoskube.history_files import history_in
from chaoskube.linearizability import Verdict
from chaoskube.sequential import Append, CompareAndSet, Done, Got, Read, Write
from chaoskube.sim import UsageError

REGISTER = """\
INFO  jepsen.util - 0\t:invoke\t:write\t4
INFO  jepsen.util - 1\t:invoke\t:cas\t[4 2]
INFO  jepsen.util - 2\t:invoke\t:read\tnil
INFO  jepsen.util - 3\t:invoke\t:read\tnil
INFO  jepsen.util - 0\t:ok\t:write\t4
INFO  jepsen.util - 2\t:ok\t:read\tnil
INFO  jepsen.util - 3\t:fail\t:read\t:timed-out
INFO  jepsen.util - 1\t:info\t:cas\t:timed-out
INFO  jepsen.util - 4\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 4\t:fail\t:cas\t[1 2]
"""
STRINGS = """\
{:process 9, :type :invoke, :f :append, :key "0", :value "x"}
{:process 1, :type :invoke, :f :get, :key "0", :value nil}
{:process 1, :type :ok, :f :get, :key "0", :value ""}
{:process 9, :type :ok, :f :append, :key "0", :value "x"}
{:process 1, :type :invoke, :f :put, :key "1", :value "y z"}
{:process 1, :type :ok, :f :put, :key "1", :value "y z"}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "history.log"
    file.write_text(text)
    return file


def test_a_register_log_is_read(tmp_path: Path) -> None:
    """A time-out of a write leaves it open for ever; one of a read leaves nothing."""
    history = history_in(written(tmp_path, REGISTER))

    assert history.kind == "register"
    assert list(history.operations) == [
        Operation(client="0", input=Write(value=4), output=Done.OK, call=1, returned=5),
        Operation(client="1", input=CompareAndSet(expected=4, value=2), call=2),
        Operation(client="2", input=Read(), output=Got(value=None), call=3, returned=6),
        Operation(
            client="4", input=CompareAndSet(expected=1, value=2), output=Done.FAILED, call=9, returned=10
        ),
    ]
    assert history.check().verdict is Verdict.LINEARIZABLE


def test_a_log_of_strings_is_read(tmp_path: Path) -> None:
    history = history_in(written(tmp_path, STRINGS))

    assert history.kind == "strings"
    assert list(history.operations) == [
        Operation(client="9", input=Append(key="0", value="x"), output=Done.OK, call=1, returned=4),
        Operation(client="1", input=Read(key="0"), output=Got(value=""), call=2, returned=3),
        Operation(client="1", input=Write(key="1", value="y z"), output=Done.OK, call=5, returned=6),
    ]
    assert history.check().verdict is Verdict.LINEARIZABLE


INFO = "INFO jepsen.util - "
KEY = ':key "0", :value '


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "history.log: the file is empty"),
        ("hello\n", "history.log:1: 'hello' begins no known history; expected"),
        (REGISTER[:-4], "history.log:10: .* is not ended by a line break; the file was cut off in this line"),
        (STRINGS[:-20], "history.log:6: .* is not ended by a line break; the file was cut off in this line"),
        (
            "".join(REGISTER.splitlines(keepends=True)[:6]),
            "history.log:6: the file ends while the call of process 1 in line 2 is open; it was cut off, or",
        ),
        (
            f"{INFO}1 :invoke :read nil\nwhat\n",
            "history.log:2: 'what' is no event; expected 'INFO jepsen.util",
        ),
        (
            f"{INFO}1 :ok :read nil\n",
            "history.log:1: :read of process 1 ends here, but the process has called not",
        ),
        (
            f"{INFO}1 :invoke :read nil\n{INFO}1 :ok :write 1\n",
            "history.log:2: :write of process 1 ends here, but the process called :read in line 1",
        ),
        (
            f"{INFO}1 :invoke :read nil\n{INFO}1 :invoke :read nil\n",
            "history.log:2: process 1 calls again, but its call in line 1 has not ended",
        ),
        (f"{INFO}1 :invoke :write x\n", "history.log:1: the value of :write is 'x'; expected one integer"),
        (f"{INFO}1 :invoke :cas 1\n", r"history.log:1: the value of :cas is '1'; expected \[FROM TO\]"),
        (
            f"{INFO}1 :invoke :read nil\n{INFO}1 :ok :read x\n",
            "history.log:2: the read told 'x'; expected an integer or nil",
        ),
        (
            f"{INFO}1 :invoke :write 1\n{INFO}1 :fail :write 1\n",
            "history.log:2: a failed write has no meaning here",
        ),
        (
            f"{INFO}1 :invoke :write 1\n{INFO}1 :ok :write 2\n",
            "history.log:2: .*value=2.* ends here, but .*value=1.* was called",
        ),
        ("{:process 1, :type\n", "history.log:1: '{:process 1, :type' is no event; expected '{:process N"),
        (
            f"{{:process 1, :type :invoke, :f :put, {KEY}nil}}\n",
            "history.log:1: :invoke :put has the value nil; expected a string",
        ),
        (
            f'{{:process 1, :type :invoke, :f :put, {KEY}"a"}}\n{{:process 1, :type :ok, :f :put, {KEY}"b"}}\n',
            "history.log:2: .* ends here, but .* was called; both lines must say the same",
        ),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    """A checker that reads half a file says "linearizable" of what it never saw."""
    with pytest.raises(UsageError, match=complaint) as caught:
        history_in(written(tmp_path, text))

    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "history.log"
    file.write_bytes(b"INFO \xff")

    with pytest.raises(UsageError, match="history.log: byte 5 is no UTF-8"):
        history_in(file)
