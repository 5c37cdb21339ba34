"""report.html in a real browser: it needs nothing else, works by keyboard, and can be read anywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import report_kinds as kinds
import report_samples as samples
from kafka_ferry.report.page import render_file
from kafka_ferry.report.run import RunData

pytestmark = pytest.mark.browser

DESKTOP, NARROW = (1280, 900), (390, 844)
RUNS = {
    "passed": samples.passed,
    "failed": samples.failed,
    "running": samples.running,
    "broken_early": samples.broken_early,
    "large": samples.large,
    **kinds.KINDS,
}
# Every visible text against the paper behind it, as WCAG counts it; the worst, with its text.
CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(paper(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 120)];
  }
  return worst;
}"""


WIDTHS = (1440, 1024, 600, 390)
# What a designer would send back: words broken within themselves, text cut off, columns out of sight without a hint,
# cells crushed to a column of letters. A command to copy may break anywhere: it is copied as it is.
SENT_BACK = """() => {
  const found = [], letter = /[\\p{L}\\p{N}]/u;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility() || parent.closest("script, style, pre")) continue;
    for (const word of text.data.matchAll(/(?<![\\p{L}\\p{N}])[\\p{L}\\p{N}]{2,30}(?![\\p{L}\\p{N}])/gu)) {
      // A name without any separator goes on in the next text: it may break.
      const end = word.index + word[0].length;
      if ((word.index === 0 && letter.test(text.previousSibling?.previousSibling?.data?.at(-1) ?? "")) ||
          (end === text.length && letter.test(text.nextSibling?.nextSibling?.data?.at(0) ?? ""))) continue;
      const range = document.createRange();
      range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
      if (lines.size > 1) found.push(`broken: ${word[0]}`);
    }
  }
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility() || one.closest("svg, thead:not(:has(button))")) continue;
    const style = getComputedStyle(one), over = one.scrollWidth - one.clientWidth, html = one.outerHTML.slice(0, 90);
    if (over > 1 && /hidden|clip/.test(style.overflowX) && one.clientWidth > 1) found.push(`cut: ${html}`);
    if (over > 1 && one.matches(".scroll") && style.backgroundImage === "none") found.push(`no hint: ${html}`);
    if (over > 1 && one.matches("pre")) found.push("a command goes out of sight");
    const box = one.getBoundingClientRect();
    if (box.right > innerWidth + 1 && !one.closest(".scroll")) found.push(`out of sight: ${html}`);
  }
  return found;
}"""
# Plurals of one, placeholders, and values that nobody meant to show.
WRONG_WORDS = re.compile(
    r"(?<![\d,.])1 (?!is\b|was\b)[a-z]+[^s\W]s\b|\(s\)|"
    r"\b(?:None|nan|undefined|Undefined|null|NaN)\b(?! was made|:)|[{}]"
)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[RunData], str]:
    def save(run: RunData) -> str:
        path = tmp_path / "report.html"
        path.write_text(render_file(run, samples.START), encoding="utf-8")
        return path.as_uri()

    return save


def settled(page: Page) -> list[str]:
    """What would be sent back, once the page is as it stays: plots and columns find their width a moment later."""
    for _ in range(30):
        found: list[str] = page.evaluate(SENT_BACK)
        if not found:
            break
        page.wait_for_timeout(100)
    return found


def columns(page: Page, table: str, column: int) -> list[str]:
    cells: list[str] = page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])", f"rows => rows.map(row => row.cells[{column}].innerText)"
    )
    return cells


@pytest.mark.parametrize("size", [DESKTOP, NARROW], ids=["desktop", "narrow"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", RUNS)
def test_it_can_be_read_anywhere_and_reaches_nothing(open_page, saved, name, theme, size):
    watched = open_page(size, theme)
    page, address = watched.page, saved(RUNS[name]())
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    assert watched.errors == []
    assert [request for request in watched.requests if request != address and not request.startswith("data:")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if theme == "light" else "rgb(18, 22, 27)")
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, text


@pytest.mark.parametrize("name", kinds.PAGES)
def test_no_kind_of_page_is_sent_back_by_a_designer(open_page, tmp_path, name):
    watched = open_page()
    page, path = watched.page, tmp_path / "report.html"
    path.write_text(render_file(kinds.PAGES[name](), kinds.NOW), encoding="utf-8")
    page.goto(path.as_uri())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)  # plots are late
        assert settled(page) == [], width
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, (theme, text)
    page.evaluate("document.querySelectorAll('pre').forEach(one => one.remove())")  # shell has words of its own
    said = page.evaluate("document.querySelector('main').innerText")
    assert WRONG_WORDS.findall(said) == []
    assert watched.errors == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("h1 { overflow-wrap: anywhere; width: 1ch }", "broken: "),
        (".text { overflow: hidden; white-space: nowrap }", "cut: "),
        (".scroll { width: 300px; background: none !important }", "no hint: "),
        (".copy pre { white-space: pre }", "a command goes out of sight"),
        ("footer { width: 3000px }", "out of sight: "),
    ],
)
def test_a_designer_would_see_it(open_page, tmp_path, spoil, found):
    """The checks above find what they are for."""
    page, path = open_page((1024, 900)).page, tmp_path / "report.html"
    run = kinds.PAGES["connect_kept" if "pre" in spoil else "connect_fail"]()
    path.write_text(render_file(run, kinds.NOW), "utf-8")
    page.goto(path.as_uri())
    assert page.evaluate(SENT_BACK) == []
    page.evaluate(
        "css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s]; }", spoil
    )
    assert any(one.startswith(found) for one in page.evaluate(SENT_BACK))


@pytest.mark.parametrize("text", ["1 topics", "1 partition(s)", "took None", "1 rows the same", "{name}"])
def test_wrong_words_are_known(text):
    assert WRONG_WORDS.search(text)


@pytest.mark.parametrize(
    "text", ["21 topics", "1,001 records", "None was made.", "None: all stands.", "0.1 records", "1 was left out"]
)
def test_right_words_are_known(text):
    assert not WRONG_WORDS.search(text)


@pytest.mark.parametrize(
    ("run", "plots"),
    [
        (samples.passed, ("plot-lag", "plot-rate", "plot-topics")),
        (kinds.PAGES["export_pass"], ("plot-behind", "plot-seconds")),
    ],
)
def test_the_plots_are_drawn(open_page, saved, run, plots):
    watched = open_page()
    watched.page.goto(saved(run()))
    for plot in plots:
        inked = watched.page.evaluate(
            """id => {
              const plot = document.getElementById(id);
              const bytes = plot.getContext("2d").getImageData(0, 0, plot.width, plot.height).data;
              return new Set(new Uint32Array(bytes.buffer)).size;
            }""",
            plot,
        )
        assert inked > 10, f"{plot} is blank"


def test_the_keyboard_sorts_filters_and_opens(open_page, saved):
    page = open_page().page
    page.goto(saved(samples.failed()))
    head = page.locator("#topics thead th", has_text="Lost")
    button = head.locator("button")
    for _ in range(60):  # reached by Tab alone
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    else:
        pytest.fail("the Tab key does not reach the column's button")
    assert button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert columns(page, "topics", 5) == ["1", "0", "0", "0", "0", "0"]
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert columns(page, "topics", 5)[-1] == "1"

    only = page.locator("[data-differences=topics]")
    only.focus()
    page.keyboard.press("Space")
    expect(only).to_have_attribute("aria-pressed", "true")
    assert columns(page, "topics", 0) == ["orders"]
    expect(page.locator("[data-shown=topics]")).to_have_text("1 of 6 lines")

    differences = page.locator(".checks details").first
    was = differences.get_attribute("open")
    differences.locator("summary").focus()
    page.keyboard.press("Enter")
    assert differences.get_attribute("open") != was


def test_numbers_sort_as_numbers_and_names_are_found(open_page, saved):
    page = open_page().page
    page.goto(saved(samples.passed(12)))
    page.locator("#topics th", has_text="Source").locator("button").click()
    assert columns(page, "topics", 3)[:3] == ["12,000", "11,000", "10,000"]
    page.locator("#topics th", has_text="Topic").locator("button").click()
    assert columns(page, "topics", 0)[-2:] == ["orders.10", "orders.11"]
    page.locator("[data-find=topics]").fill("ORDERS.1")
    assert columns(page, "topics", 0) == ["orders.1", "orders.10", "orders.11"]
    page.locator("[data-differences=topics]").click()
    expect(page.locator("[data-shown=topics]")).to_have_text("0 of 12 lines")


def test_two_thousand_topics_stay_usable(open_page, saved):
    watched = open_page()
    page = watched.page
    page.goto(saved(samples.large()))
    for act in (
        lambda: page.locator("#topics th", has_text="Source").locator("button").click(),
        lambda: page.locator("[data-differences=topics]").click(),
        lambda: page.locator("[data-find=groups]").fill("consumer-7"),
    ):
        before = time.monotonic()
        act()
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert time.monotonic() - before < 3
    assert columns(page, "topics", 0) == ["projects.team-34.events-1234"]
    assert watched.errors == []


def test_a_topic_named_like_a_script_does_nothing(open_page, saved):
    watched = open_page()
    watched.page.goto(saved(samples.failed("<script>document.title='taken'</script>")))
    expect(watched.page.locator("#topics")).to_contain_text("<script>document.title='taken'</script>")
    assert watched.page.title().startswith("FAIL")
    assert watched.errors == []


def test_on_paper_all_differences_are_open(open_page, saved):
    page = open_page().page
    page.goto(saved(samples.large()))
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() == 0
    expect(page.locator(".tools").first).to_be_hidden()


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_what_explains_a_loss_is_in_sight(open_page, saved, size):
    page = open_page(size).page
    page.goto(saved(kinds.ahead()))
    hidden = page.eval_on_selector_all(
        "#groups .text", "cells => cells.filter(one => one.getBoundingClientRect().right > innerWidth).length"
    )
    assert hidden == 0
    assert page.eval_on_selector("#groups", "table => table.scrollWidth <= table.parentElement.clientWidth")


@pytest.mark.parametrize("size", [(600, 900), NARROW])
def test_on_a_narrow_page_every_column_is_in_sight_with_its_name(open_page, saved, size):
    page = open_page(size).page
    page.goto(saved(kinds.ahead()))
    cells = page.eval_on_selector_all(
        "#groups tbody tr:first-child td",
        "cells => cells.map(one => [one.dataset.head, one.getBoundingClientRect().right <= innerWidth])",
    )
    heads = [
        "Result",
        "Topic",
        "Partition",
        "Source offset",
        "Target offset",
        "Right offset",
        "Delivered again",
        "Remarks",
    ]
    assert [head for head, _ in cells] == heads
    assert all(seen for _, seen in cells)


def test_what_ends_it_is_copied_as_it_stands(open_page, saved):
    page = open_page().page
    page.goto(saved(kinds.kept()))
    # As in Airflow's frame, which may not use the clipboard.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copy]")).to_have_text("Marked: press Ctrl+C")
    marked = page.evaluate("getSelection().toString()").splitlines()
    assert marked == kinds.KEPT.splitlines()[1:]


@pytest.mark.parametrize("name", ["kept", "dry"])
def test_names_of_connectors_are_not_broken_within_a_word(open_page, saved, name):
    page = open_page((1440, 900)).page
    page.goto(saved(RUNS[name]()))
    lines = page.evaluate(
        """() => {
          const found = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const text = walk.currentNode, at = text.data.search(/MirrorCheckpointConnector/);
            if (at < 0 || !text.parentElement.checkVisibility()) continue;
            const range = document.createRange();
            range.setStart(text, at); range.setEnd(text, at + 25);
            found.push(range.getClientRects().length);
          }
          return found;
        }"""
    )
    assert lines
    assert set(lines) == {1}
