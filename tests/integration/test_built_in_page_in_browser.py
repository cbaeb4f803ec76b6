"""The built-in page in a real Chromium: what is shown, by keyboard and to screen readers too, and nothing injected."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from otel_carbon.budgets.read import read_budgets
from otel_carbon.collector.page.application import FRESH_S
from tests.support.browser import accessibility_violations, running_browser
from tests.support.page_server import Counting, SetClock, page_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from otel_carbon.collector.page.watch import TotalsWatch

PICTURES = os.environ.get("OTEL_CARBON_TEST_PICTURES")
"""A folder for screenshots, for people to look at."""
HOSTILE = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>\"'\n`${1}`"
WIDE: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOOKS = {"light": WIDE, "dark": WIDE | {"color_scheme": "dark"}, "phone": PHONE}
TOP: Any = {"x": 80, "y": 0, "width": 1040, "height": 1850}
"""The part of a wide picture that the documents show."""
BUDGETS = """
budgets:
  - {name: shop-tokens, owner: team-shop, scope: {service: shop}, amount: 5000000, unit: tokens, window: month}
  - {name: search, owner: team-search, scope: {service: search}, amount: 400, unit: gCO2e, window: month, bound: high}
"""
FOCUSED = "(each => each.id || each.getAttribute('aria-labelledby') || each.textContent)(document.activeElement)"
MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("mistral_ai", "mistral-large-latest"),
    ("openai", "no-such-image-1"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(**WIDE) as made:
        yield made


@pytest.fixture
def counting() -> Counting:
    return Counting(SetClock(datetime(2026, 11, 4, 9, 30, tzinfo=UTC)))


@pytest.fixture
def url(counting: Counting) -> Iterator[str]:
    with page_server(counting, counting.watch()) as made:
        yield made


def opened(context: BrowserContext, url: str) -> Page:
    """The page once it shows figures; what its script says that is wrong fails the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the script failed: {error}"))
    page.goto(f"{url}/")
    expect(page.locator("#state")).to_have_text("Live")
    return page


def month_of_calls(counting: Counting, folder: Path) -> TotalsWatch:
    """Twenty-three days of two services, quieter at weekends."""
    path = folder / "budgets.yaml"
    path.write_text(BUDGETS)
    watch = counting.watch(read_budgets(path).budgets.budgets)
    for day in range(23):
        watch.look()
        for position, (provider, model) in enumerate(MODELS):
            size = (day * 7 + position * 3) % 11 + 1
            is_quiet = counting.clock.at.weekday() > 4 or model.startswith("no-such")
            calls = size // 4 if is_quiet else size
            said: dict[str, str | float] = {
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": 900 * size,
                "gen_ai.usage.output_tokens": 120 * size,
            }
            counting.book(calls, service="search" if position % 2 else "shop", more=said)
        watch.look()
        if day < 22:
            counting.clock.pass_by(days=1)
    counting.clock.pass_by(minutes=5)
    return watch


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_has_no_accessibility_violation(
    browser: Browser, counting: Counting, tmp_path: Path, look: str
) -> None:
    with (
        page_server(counting, month_of_calls(counting, tmp_path)) as url,
        browser.new_context(**LOOKS[look]) as context,
    ):
        page = opened(context, url)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"built-in-page-{look}.png", full_page=True)
            page.screenshot(path=Path(PICTURES) / f"built-in-page-{look}-top.png", full_page=True, clip=TOP)
        page.locator("summary").click()
        assert accessibility_violations(page) == []
        # The page itself never scrolls sideways: wide tables do, each on its own.
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        expect(page.locator("#chart rect")).to_have_count(30)
        expect(page.locator("#days-body tr")).to_have_count(30)
        expect(page.locator("#models-body tr")).to_have_count(len(MODELS))
        expect(page.locator("#budget-list li")).to_have_count(2)
        expect(page.locator("#budget-list li").nth(1)).to_contain_text("Spent. ")


def test_the_check_of_accessibility_finds_what_is_wrong(context: BrowserContext, url: str) -> None:
    page = opened(context, url)
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    (violation,) = accessibility_violations(page)
    assert violation.startswith("image-alt (critical)")


def test_the_page_before_any_call_says_so_and_is_accessible(context: BrowserContext, url: str) -> None:
    page = opened(context, url)
    expect(page.get_by_text("No calls yet.")).to_be_visible()
    expect(page.locator("#coverage-text")).to_have_text("No calls in the last 30 days.")
    expect(page.locator("#budgets")).to_be_hidden()
    expect(page.locator("#month .mid").first).to_contain_text("0")
    assert accessibility_violations(page) == []


def test_the_page_updates_itself_without_moving_the_reader(
    context: BrowserContext, counting: Counting, url: str
) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(f"{url}/")
    expect(page.locator("#state")).to_have_text("Live")
    page.locator("#models .scroll").focus()
    counting.book(3)
    counting.clock.pass_by(seconds=FRESH_S)
    page.clock.run_for(10_000)
    expect(page.locator("#models-foot td").first).to_have_text("3")
    expect(page.get_by_text("No calls yet.")).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('section').id") == "models"


def test_updates_can_be_paused_by_keyboard(context: BrowserContext, counting: Counting, url: str) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(f"{url}/")
    expect(page.locator("#state")).to_have_text("Live")
    button = page.get_by_role("button", name="Pause updates")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#state")).to_have_text("Paused")
    counting.book(1)
    counting.clock.pass_by(seconds=FRESH_S)
    page.clock.run_for(60_000)
    expect(page.locator("#today .mid").last).to_have_text("0")
    page.keyboard.press("Space")
    expect(page.locator("#today .mid").last).to_have_text("1")


def test_the_focus_goes_through_the_page_in_its_order(context: BrowserContext, counting: Counting, url: str) -> None:
    counting.book(1, more={"gen_ai.request.model": "no-such-image-1"})
    page = opened(context, url)
    where = []
    for _ in range(8):
        page.keyboard.press("Tab")
        where.append(page.evaluate(FOCUSED))
    assert where == [
        "Skip to the figures",
        "pause",
        "Every day as a table",
        "models-caption",
        "coverage-table",
        "health-caption",
        "metrics",
        "api/totals",
    ]
    page.locator("a.skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_label_with_quotes_newlines_and_html_is_shown_and_injects_nothing(
    context: BrowserContext, counting: Counting, url: str
) -> None:
    said = {"gen_ai.request.model": HOSTILE, "gen_ai.response.model": HOSTILE, "gen_ai.provider.name": HOSTILE}
    counting.book(2, service=HOSTILE, more=said)
    refusals: list[str] = []
    context.on("console", lambda message: refusals.append(message.text))
    page = opened(context, url)
    head = page.locator("#models-body th").first
    assert head.evaluate("each => each.childNodes[0].nodeValue") == HOSTILE
    assert page.locator("main img, main script, svg script, main [onerror]").count() == 0
    assert "stolen" not in page.title()
    assert refusals == []  # nothing that the policy had to stop


def test_what_a_page_of_ours_never_does_is_stopped_by_its_policy(context: BrowserContext, url: str) -> None:
    page = opened(context, url)
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'stolen'";
          document.body.append(script);
          const image = document.createElement("img");
          image.setAttribute("onerror", "document.title = 'stolen'");
          image.src = "x";
          document.body.append(image);
          return new Promise((done) => image.addEventListener("error", () => setTimeout(done, 0)));
        }"""
    )
    assert "stolen" not in page.title()


def test_only_this_server_is_asked_and_only_for_two_things(
    context: BrowserContext, counting: Counting, url: str
) -> None:
    counting.book(1)
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    opened(context, url)
    assert {each for each in asked if not each.startswith("data:")} == {f"{url}/", f"{url}/api/totals"}


def test_a_collector_that_goes_away_is_told_and_the_figures_are_called_old(
    context: BrowserContext, counting: Counting
) -> None:
    with page_server(counting, counting.watch()) as url:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{url}/")
        expect(page.locator("#state")).to_have_text("Live")
    page.clock.run_for(10_000)
    expect(page.locator("#state")).to_have_text("The collector does not answer; these figures are old.")
    expect(page.get_by_role("status")).to_have_class(re.compile("failed"))


def test_nothing_moves_for_those_who_asked_for_that(browser: Browser, counting: Counting, tmp_path: Path) -> None:
    with (
        page_server(counting, month_of_calls(counting, tmp_path)) as url,
        browser.new_context(reduced_motion="reduce") as still,
        browser.new_context(reduced_motion="no-preference") as moving,
    ):
        style = "each => getComputedStyle(each).transitionDuration"
        assert opened(still, url).locator(".share i").first.evaluate(style) == "0s"
        assert opened(moving, url).locator(".share i").first.evaluate(style) == "0.3s"


def test_without_scripts_the_page_says_where_the_figures_are(browser: Browser, url: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{url}/")
        expect(page.locator("noscript p")).to_be_visible()
