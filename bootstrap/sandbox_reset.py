"""Begin a Sandbox anew: what it made in its folder goes, and its clock is the machine's again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bootstrap.postgres_cluster import cluster_of
from bootstrap.sandbox_state import STATE, SandboxState, in_use
from bootstrap.settings import BadSettings

SERVERS = ("postgres", "keyring")
MADE = (
    *(f"{server}{log}" for server in SERVERS for log in (".log", ".log.1")),
    "kms", "ledger", "objects", "sendgrid.json", "twilio.json", "twilio.json.media", "telnyx.json",
    "stripe.json", "backups",
    STATE,
)  # fmt: skip
"""Named one by one: whatever else lies in the folder is somebody else's. The last one says that there is a Sandbox."""


def reset(state: Path, *, really: bool) -> Sequence[str]:
    """Return what goes, or would go, for a person to read; delete it if told `really`.

    Repeating is harmless, also after an interruption. Raises BadSettings while a process is on the folder or when its
    rows lie in an operator's databases, and PostgresUnavailable when the folder is another user's.
    """
    if not (state / STATE).exists():
        return ()
    with in_use(state, alone=True):
        saved = SandboxState(state / STATE)
        if saved.url and not saved.server_urls:
            raise BadSettings(
                "This Sandbox was served on databases of yours, and its keys fit them: nothing is deleted."
            )
        goes = [state / name for name in (*SERVERS, *MADE) if (state / name).exists()]
        clusters = [cluster_of(state / server) for server in SERVERS]
        if really:
            for cluster in clusters:
                cluster.end()  # of a Pico that was killed just now
            for path in goes:
                _delete(path)
    moved = [f"{saved.offset.days} days on its clock"] if saved.offset else []
    return [*map(str, goes), *moved]


def _delete(path: Path) -> None:
    """Delete a file or a folder, and where it is a link what it points to: root's database lies elsewhere."""
    if path.is_symlink():
        shutil.rmtree(path.resolve())
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
