"""Pictures of every kind of report page, to look at: ``python tests/browser/shots.py FOLDER [NAME ...]``.

A sheet for each width and theme holds many pages side by side, in order of their names; ``NAME`` picks pages whose name
has it, each as a picture of its own.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "shared"), str(ROOT / "plugins"), str(ROOT / "include")]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

import report_kinds as kinds  # noqa: E402
from kafka_ferry.report.page import render_file  # noqa: E402

WIDTHS, THEMES, ON_A_SHEET, HEIGHT = (1440, 1024, 600, 390), ("light", "dark"), 6, 2400


def shoot(browser: Browser, page: Path, width: int, theme: str) -> Path:
    """The whole page, up to ``HEIGHT``."""
    picture = page.with_name(f"{page.stem}-{width}-{theme}.png")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    tab = context.new_page()
    tab.goto(page.as_uri())
    high = min(HEIGHT, tab.evaluate("document.documentElement.scrollHeight"))
    tab.set_viewport_size({"width": width, "height": high})
    tab.screenshot(path=str(picture))
    context.close()
    return picture


def sheet(browser: Browser, folder: Path, name: str, pictures: list[Path], across: int, scale: float) -> None:
    """Many pictures as one, each under its name."""
    width = int(name.split("-")[0])
    cells = "".join(
        f"<figure><figcaption>{one.stem}</figcaption><img src='{one.as_uri()}' width={int(width * scale)}></figure>"
        for one in pictures
    )
    html = folder / f"sheet-{name}.html"
    html.write_text(
        f"<style>body{{display:grid;grid-template-columns:repeat({across},auto);gap:12px;align-items:start;width:"
        f"max-content;background:#888;font:14px sans-serif}}figure{{margin:0}}</style>{cells}"
    )
    tab = browser.new_page()
    tab.goto(html.as_uri())
    tab.locator("body").screenshot(path=str(html.with_suffix(".png")))
    tab.close()


def main(folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(name for name in kinds.PAGES if not wanted or any(word in name for word in wanted))
    for name in names:
        (folder / f"{name}.html").write_text(render_file(kinds.PAGES[name](), kinds.NOW), encoding="utf-8")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        for width in WIDTHS:
            across, scale = {1440: (2, 0.68), 1024: (3, 0.8), 600: (4, 0.9), 390: (6, 0.9)}[width]
            for theme in THEMES:
                pictures = [shoot(browser, folder / f"{name}.html", width, theme) for name in names]
                for i in range(0, len(pictures), ON_A_SHEET):
                    part = pictures[i : i + ON_A_SHEET]
                    sheet(browser, folder, f"{width}-{theme}-{i // ON_A_SHEET:02}", part, across, scale)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
