"""The last acts of the tour: taking everything along, and leaving nothing."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import PASSWORD, Traveller, until
from bootstrap.tour_failed import TourFailed


async def export_everything(stage: Stage, who: Traveller) -> None:
    """Ask for an export, wait, download it; minutes later it is gone."""
    export = await who.ask("POST", "/v1/account/exports")
    path = f"/v1/account/exports/{export['id']}"

    async def ready() -> bool:
        return bool((await who.ask("GET", path))["state"] == "ready")

    await until("the export", ready)
    confirmed = {"password": PASSWORD}
    with ZipFile(BytesIO(await who.fetch(f"{path}/download", "POST", confirmed))) as archive:
        records = json.loads(archive.read("export.json"))["records"]
    stage.tell(", ".join(f"{len(rows)} {name}" for name, rows in records.items()))
    bodies = [row["body"] for row in records["messages"]]
    stage.tell(f"messages decrypted: {bodies[0]!r}")
    gone_at = (await who.ask("GET", path))["expires_at"]
    stage.tell(f"it can be downloaded again until {gone_at[11:16]}, and then is gone")


async def think_again(stage: Stage, who: Traveller) -> None:
    """Delete the account, let ten days pass, recover it."""
    await who.ask("DELETE", "/v1/account", {"password": PASSWORD})
    await who.ask("POST", "/sandbox/clock", {"advance": "P10D"})
    who.token = (await who.ask("POST", "/v1/account-recoveries", who.credentials))["token"]
    [line] = (await who.ask("GET", "/v1/lines"))["items"]
    if line["state"] != "active":
        raise TourFailed("a recovered account's line is not active")
    [conversation] = (await who.ask("GET", "/v1/conversations"))["items"]
    stage.tell(
        f"recovered: line {line['number']} {line['state']}, {conversation['total']} message still there"
    )


async def delete_account(stage: Stage, who: Traveller) -> None:
    """Ask for deletion, move the clock by 30 days, see the erasure end, and check its receipt."""
    fingerprint = await stage.fingerprint(who.account_id)
    who.token = (await who.ask("POST", "/v1/sessions", who.credentials))["token"]
    preview = await who.ask("DELETE", "/v1/account", {"password": PASSWORD})
    stage.tell("signed out everywhere, the line falls silent")
    stage.tell(
        f"{preview['lines']} of {who.name}'s lines and {preview['messages']} messages go on {preview['erase_at'][:10]}"
    )
    who.token = ""
    now = (await who.ask("POST", "/sandbox/clock", {"advance": "P30D"}))["now"]
    stage.tell(f"the clock says {now}")

    async def gone() -> bool:
        held = await who.ask("GET", "/sandbox/providers")
        return who.line["number"] not in str(held)

    await until("erasure", gone)
    await until("the receipt", stage.sandbox.erased)
    stage.tell("numbers released and read back, keys destroyed, rows deleted, receipt signed:")
    await stage.show_receipt(fingerprint)
