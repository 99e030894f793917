"""The life that the Python client's README tells, lived against a Sandbox in a process of its own."""

from __future__ import annotations

import json
import re
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from pico_client import Problem, SandboxPico
from tests.support.archives import export_in
from tests.support.receiver import is_signed
from tests.support.sandbox_process import PASSWORD, ROOT, Served, until

pytestmark = pytest.mark.xdist_group("sandbox")  # one after the other: each starts a server of its own

(LIFE,) = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "clients/python/README.md").read_text(), re.DOTALL | re.MULTILINE
)


def test_the_life_in_its_readme(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="pico client ") as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        served = Served(Path(folder) / "state")
        try:
            exec(compile(LIFE, "README.md", "exec"), {"URL": served.url})  # noqa: S102 - our own README
            assert capsys.readouterr().out.splitlines() == [
                "inbound I shall be there.",
                "outbound See you at noon.",
                "wrong_credentials",
            ]
            is_called(served)
            the_end_of_it(served)
        finally:
            served.stop()


class Hook(BaseHTTPRequestHandler):
    """Somebody's own server, as short as it can be."""

    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        """Note what came, and say that it did."""
        said = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append((said, self.rfile.read(int(said["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def is_called(served: Served) -> None:
    """Have a server on this machine called, as a newcomer would."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with SandboxPico(served.url) as pico:
            pico.sign_in("ada@example.org", PASSWORD)
            with pytest.raises(Problem) as caught:
                pico.add_webhook_endpoint("https://127.0.0.2:8443/")
            assert [flaw.code for flaw in caught.value.flaws] == ["invalid_webhook_url"]
            url = f"http://127.0.0.1:{server.server_port}/hook"
            endpoint = pico.add_webhook_endpoint(url, ["account.changed"])
            pico.change_profile(display_name="Ada L")
            until(lambda: bool(Hook.heard))
            headers, body = Hook.heard[0]
            assert is_signed(endpoint.secret, headers, body)
            assert json.loads(body)["type"] == "account.changed"
            until(lambda: [each.answer for each in pico.list_webhook_deliveries(endpoint.id)] == ["2xx"])
            assert pico.rotate_webhook_secret(endpoint.id).secret != endpoint.secret
            assert pico.test_webhook_endpoint(endpoint.id).event == "webhook.test"
            assert pico.change_webhook_endpoint(endpoint.id, enabled=False).state == "disabled"
            pico.delete_webhook_endpoint(endpoint.id)
            assert list(pico.list_webhook_endpoints()) == []
    finally:
        server.shutdown()
        server.server_close()


def the_end_of_it(served: Served) -> None:
    """What README leaves out: an export, correcting, and the end."""
    with SandboxPico(served.url) as pico:
        pico.sign_in("ada@example.org", PASSWORD)
        (line,) = pico.list_lines()
        line = pico.read_line(line.id)
        renamed = pico.change_line(line.id, "Home", if_match=line.etag)
        with pytest.raises(Problem) as caught:
            pico.change_line(line.id, "Shop", if_match=line.etag)
        assert (caught.value.code, renamed.label) == ("changed_meanwhile", "Home")

        export = pico.start_export()
        until(lambda: pico.read_export(export.id).state == "ready")
        file = Path(served.state).parent / "export.zip"
        with file.open("wb") as into:
            pico.download_export(export.id, PASSWORD, into)
        assert "See you at noon." in str(export_in(file.read_bytes()))
        file.unlink()

        pico.release_line(line.id)
        due = pico.delete_account(PASSWORD)
        assert due.lines >= 0
        pico.recover_account("ada@example.org", PASSWORD)
        pico.delete_account(PASSWORD)
        pico.advance_clock("P31D")
        until(lambda: no_of(pico) == "wrong_credentials")


def no_of(pico: SandboxPico) -> str:
    """Return why signing in fails."""
    with pytest.raises(Problem) as caught:
        pico.sign_in("ada@example.org", PASSWORD)
    return caught.value.code
