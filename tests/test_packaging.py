"""What is built holds each file once and puts one name into site-packages."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"chaoskube": "chaoskube", "models": "chaoskube/models", "invariants": "chaoskube/invariants"}
ROOMS["scenarios"] = "chaoskube/scenarios"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of a clean copy, and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, tracked.stdout.split("\0")):
        original, copy = ROOT / name, source / name
        if not original.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if original.is_symlink():
            copy.symlink_to(original.readlink())
        else:
            copy.write_bytes(original.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(source)],
        check=True,
        capture_output=True,
    )
    return folder / "dist"


def _ours() -> set[str]:
    return {
        f"{target}/{file.relative_to(ROOT / room)}"
        for room, target in ROOMS.items()
        for file in (ROOT / room).rglob("*.py")
        if not any((ROOT / room / part).is_symlink() for part in file.relative_to(ROOT / room).parts[:1])
    }


def test_the_wheel_holds_every_module_once_under_one_name(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    top = {name.split("/")[0] for name in names}

    assert {name for name in names if name.endswith(".py")} == _ours()
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert {name for name in top if not name.endswith(".dist-info")} == {"chaoskube"}
    assert {"chaoskube/py.typed", "chaoskube/models/objects/schema.json.gz"} <= set(names)


def test_the_sdist_holds_every_module_once(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = [name.partition("/")[2] for name in sdist.getnames()]

    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            inside = str(file.relative_to(ROOT))
            if not any((ROOT / room / part).is_symlink() for part in file.relative_to(ROOT / room).parts[:1]):
                assert names.count(inside) == 1, inside
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert not [name for name in names if name.startswith("chaoskube/models")]


def test_the_wheel_installs_into_an_empty_environment_and_runs(built: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True)
    python = tmp_path / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", next(built.glob("*.whl"))], check=True)
    listed = subprocess.run(
        [
            python,
            "-c",
            "import pathlib, sysconfig; print(*pathlib.Path(sysconfig.get_path('purelib')).iterdir())",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {Path(one).name for one in listed.stdout.split()}

    assert {
        name
        for name in found
        if not name.startswith(("pip", "setuptools", "pkg_resources", "_distutils", "distutils"))
    } == {
        "chaoskube",
        next(built.glob("*.whl")).name.split("-py3")[0] + ".dist-info",
    }
