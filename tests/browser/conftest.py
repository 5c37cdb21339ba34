"""A headless Chromium of the system, and pages that note what goes wrong in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, NARROW = (1280, 900), (390, 844)


@dataclass
class Watched:
    """A page; ``errors`` are console errors, uncaught exceptions and requests that failed."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


OpenPage = Callable[..., Watched]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    binary = next(filter(None, map(shutil.which, NAMES)), None)
    if not binary:
        pytest.skip(f"no Chromium here (looked for {', '.join(NAMES)}): the report page was NOT tried in a browser")
    with sync_playwright() as playwright:
        # Tests may run as root, for which Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """``open_page(size=(1280, 900), theme="light")``: an empty page of a browser that knows nobody."""
    contexts = []

    def make(size: tuple[int, int] = DESKTOP, theme: str = "light") -> Watched:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        watched = Watched(context.new_page())
        page = watched.page
        page.on("console", lambda said: watched.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("requestfailed", lambda request: watched.errors.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda request: watched.requests.append(request.url))
        return watched

    yield make
    for context in contexts:
        context.close()
