"""The test kit as others get it: from the wheel, in a repository that knows nothing else of Pico."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from application.ports.mail import MailKind
from domain.kernel import PicoError
from domain.values import Email, Locale
from pico_testkit import STRANGER, HandClock, InMemory, MemoryMail

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "testing-with-pico.md").read_text(encoding="utf-8")
WALK = (ROOT / "docs" / "replacing-a-provider.md").read_text(encoding="utf-8")
LONGEST_LIFE = 12
"""Lines of a life, its imports aside."""


def blocks_of(guide: str) -> dict[str, str]:
    """Return the files that a guide shows: each block of Python is named by its first line."""
    return dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE))


(PROJECT,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
FILES = {"pyproject.toml": PROJECT, **blocks_of(GUIDE)}
WALKED = {"pyproject.toml": PROJECT, **blocks_of(WALK)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel holds, unpacked. Building it asks nobody for anything."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(repository: Path, files: Mapping[str, str], site: Path) -> subprocess.CompletedProcess[str]:
    """Make a repository of these files, and run its tests as its own people would."""
    for name, text in files.items():
        (repository / name).write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=repository,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_everything_the_guide_shows_is_run_and_passes_in_a_repository_of_its_own(
    installed: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, FILES, installed)
    assert done.returncode == 0, done.stdout[-3000:]
    shown = sum(text.count("async def test_") for text in FILES.values())
    suite = (ROOT / "pico_testkit" / "contracts" / "messages.py").read_text().count("    async def test_")
    assert f"{shown + suite} passed" in done.stdout


def test_the_suite_tells_a_carrier_that_breaks_its_promise_and_what_it_saw(
    installed: Path, tmp_path: Path
) -> None:
    honest = "self.flown.get(message_id) or self.take(Status.QUEUED)"
    assert honest in FILES["pigeons.py"]
    forgetful = (
        FILES["pigeons.py"]
        .replace(honest, "self.take(Status.QUEUED)")
        .replace("self.flown[message_id] = ref", "self.flown[message_id, ref] = ref")
    )
    sloppy = FILES["test_pigeons.py"].replace("for message_id, ref in", "for (message_id, _), ref in")
    done = run(tmp_path, FILES | {"pigeons.py": forgetful, "test_pigeons.py": sloppy}, installed)
    (failed,) = re.findall(r"^FAILED .*::(\w+)", done.stdout, re.MULTILINE)
    assert failed == "test_a_message_whose_answer_was_lost_is_found_once_or_sent_once_under_its_id"
    assert "assert {'pigeon-1', 'pigeon-2'} == {'pigeon-2'}" in done.stdout, "assertions say what they saw"


def test_the_walk_through_a_second_carrier_runs_as_it_is_shown(installed: Path, tmp_path: Path) -> None:
    done = run(tmp_path, WALKED, installed)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "2 passed" in done.stdout


def test_a_whole_life_takes_a_dozen_lines() -> None:
    body = FILES["test_life.py"].split("async def", 1)[1]
    assert len(body.strip().splitlines()) <= LONGEST_LIFE


@pytest.mark.parametrize(("guide", "files"), [(GUIDE, FILES), (WALK, WALKED)])
def test_every_block_of_python_in_a_guide_is_a_file_that_is_run(guide: str, files: dict[str, str]) -> None:
    assert guide.count("```python") == len(files) - 1


async def test_a_part_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="no part of a world: carriers"):
        InMemory(carriers=None)  # type: ignore[call-arg]


async def test_any_fake_can_be_another() -> None:
    class Counting(MemoryMail):
        kinds: list[MailKind] = []  # noqa: RUF012 - of one test

        async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
            self.kinds.append(kind)
            await super().send(to, kind, locale, link_token)

    clock, mail = HandClock(), Counting()
    world = InMemory(clock=clock, mail=mail)
    await world.signed_up("ada")
    assert mail.kinds == [MailKind.VERIFY]
    assert world.clock is clock


async def test_what_nobody_could_type_is_refused() -> None:
    world = InMemory()
    ada = await (await world.signed_up("ada")).with_line()
    for refused in (
        ada.sends(""),
        ada.sends("hello", to="PICO"),
        ada.with_line("12025550143"),
        world.carrier.deliver("", ada.number, "hello"),
        world.carrier.deliver(STRANGER, "nobody", "hello"),
        world.signed_up("not an address"),
    ):
        with pytest.raises(PicoError):
            await refused


async def test_a_silent_carrier_keeps_what_came_in_to_itself() -> None:
    world = InMemory()
    ada = await (await world.signed_up("ada")).with_line()
    world.carrier.silent = True
    await world.carrier.deliver(STRANGER, ada.number, "hello")
    assert (await ada.inbox(), len(world.carrier.messages)) == ([], 1)
