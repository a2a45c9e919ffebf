"""`make images`: pictures of the page for the documentation, taken of a town that really plays them.

python -m tests.sandbox.page.images FOLDER
"""

import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.serve import Served
from bot.sandbox.page.view import SERVICE
from bot.sandbox.process import Control
from bot.sandbox.rehearsal import Rehearsal
from tests.sandbox.page.conftest import ARGUMENTS, CHROMIUM, PATIENCE_MS

WIDE, NARROW, TALL = (1280, 860), (360, 780), (1280, 1800)
CARD = ".message:has(.block.plan) >> nth=-1"
PUT_BACK = ".message:has-text('Failed: deploy') >> nth=-1"
IMAGE = "gcr.io/ai-square-prod/backend"
FONTS = "document.fonts.ready"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def main(folder: Path) -> None:
    """Write all pictures into a folder: of each story in a town of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    show(folder, play, rate=10.0)
    show(folder, roll_out, rate=60.0)


def show(folder: Path, story: Callable[..., None], *, rate: float) -> None:
    """Write the pictures of one story, in a town whose clock runs at `rate`."""
    with (
        tempfile.TemporaryDirectory() as town_folder,
        Rehearsal(Path(town_folder), rate=rate) as town,
        sync_playwright() as playwright,
    ):
        keeper = Keeper(town)
        keeper.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        with Served(town, keeper) as served:
            tab = browser.new_page(viewport=dict(zip(("width", "height"), WIDE, strict=True)))
            tab.set_default_timeout(PATIENCE_MS)
            tab.goto(served.address)
            story(tab, lambda name, **how: shoot(tab, folder / f"{name}.png", **how), town.cloud)
            browser.close()
        keeper.stop()


def play(tab: Any, picture: Callable[..., None], _: Control) -> None:
    """The story of a bad release, stopped where it is worth a look."""
    tab.click("#begin-bad-release")
    tab.wait_for_selector(".steps")
    say(tab, "/aisq rollback backend --reason '5xx since the last deploy'")
    tab.wait_for_selector("button.primary[command]")
    tab.click("#be-ben")
    tab.wait_for_selector("#be-ben[aria-current]")
    tab.wait_for_selector("button.primary[command]")
    picture("plan-card", of=CARD, size=TALL)
    tab.evaluate("document.getElementById('conversation').scrollTop = 0")
    picture("page")
    picture("page-dark", scheme="dark")
    picture("page-narrow", size=NARROW)
    picture("page-narrow-dark", size=NARROW, scheme="dark")
    tab.click("#tab-home")
    tab.wait_for_selector("#home-form button.primary")
    picture("app-home", of=".slack", size=(1280, 720))
    tab.click("#tab-channel")
    tab.click("#break-slow")
    tab.click("button.primary[command]")
    tab.click("dialog.confirm[open] button.primary")
    tab.wait_for_selector(f"{CARD} >> .mark.in_progress")
    picture("progress-card", of=CARD, size=TALL)
    tab.wait_for_selector("#scenario.solved")


def roll_out(tab: Any, picture: Callable[..., None], cloud: Control) -> None:
    """A release that a judge watches, and that goes bad at its second stage."""
    cloud.push(IMAGE, "v1.43", error_rate=0.001)
    cloud.fault("metrics_late", seconds=30, times=0)
    say(tab, "/aisq deploy backend v1.43 --reason 'faster search'")
    tab.wait_for_selector("button.primary[command]")
    tab.click("#be-ben")
    tab.wait_for_selector("#be-ben[aria-current]")
    press(tab, "Approve")
    tab.wait_for_selector(f"{CARD} >> text=/Hold at 25 %.* requests/")
    picture("rollout-card", of=CARD, size=TALL)
    cloud.quality(SERVICE, cloud.service(SERVICE)["latest_created"], 0.08)
    tab.wait_for_selector(f"{PUT_BACK} >> svg[role=img]")
    picture("rollout-back", of=PUT_BACK, size=TALL)


def press(tab: Any, text: str) -> None:
    """A button of the newest card, and yes."""
    tab.click(f"{CARD} >> button.primary[command]:has-text('{text}')")
    tab.click("dialog.confirm[open] button.primary")


def say(tab: Any, text: str) -> None:
    tab.fill("#text", text)
    tab.keyboard.press("Escape")
    tab.press("#text", "Enter")


def shoot(tab: Any, file: Path, *, of: str = "", size: tuple[int, int] = WIDE, scheme: str = "light") -> None:
    """One picture: of the window, or of one element; without motion, and without the mouse over anything."""
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.mouse.move(0, 0)
    tab.evaluate(FONTS)
    target = tab.locator(of) if of else tab
    target.screenshot(path=file, animations="disabled", caret="hide")
    tab.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    file.write_bytes(smaller(file.read_bytes()))
    print(f"{file.name}: {width} x {height}, {file.stat().st_size / 1024:.0f} kB")


def smaller(png: bytes) -> bytes:
    """The same picture, compressed as well as zlib can, which a browser in a hurry does not wait for."""
    made, at, pixels = SIGNATURE, len(SIGNATURE), b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + size]
        at += size + 12
        if kind == b"IDAT":
            pixels += data
            continue
        if kind == b"IEND":
            made += _chunk(b"IDAT", zlib.compress(zlib.decompress(pixels), 9))
        made += _chunk(kind, data)
    return made


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
