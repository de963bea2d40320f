"""The page and the docs in a real browser: Chromium without a window."""

import re

import pytest
import requests
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.service.browser import Browser, browser
from tests.service.conftest import KEYS, TOPICS
from tests.service.proxy import proxy

EXAMPLES = {"intent": "train", "emotion": "Thank"}


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


def classify(window: Browser, model: str, text: str) -> None:
    """Choose the model, type, and press Ctrl + Enter."""
    window.shown("#model")
    Select(window.one("#model")).select_by_value(model)
    field = window.one("#text")
    field.clear()
    field.send_keys(text)
    field.send_keys(Keys.CONTROL, Keys.ENTER)
    window.shown("#result")


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two CSS colours."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def style(window: Browser, selector: str, name: str) -> str:
    return str(
        window.run(
            "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
            selector,
            name,
        )
    )


def test_a_person_tries_each_model(window, server):
    window.open(server.url + "/")
    for model, text in (
        ("intent", "Je voudrais un billet de train pour Bordeaux demain matin"),
        ("emotion", "Thank you so much, I really appreciate your help!"),
    ):
        classify(window, model, text)
        wanted = requests.post(
            f"{server.url}/v1/models/{model}/classify", json={"texts": [text]}, timeout=20
        ).json()["predictions"][0]
        scores = sorted(wanted["scores"].values(), reverse=True)
        assert window.one(".winner").text == wanted["label"]
        assert window.texts("#scores .name")[0] == wanted["label"]
        shown = [float(number.removesuffix(" %")) for number in window.texts("#scores .number")]
        assert shown == pytest.approx([100 * score for score in scores], abs=0.2)
        widths = [bar.size["width"] for bar in window.all("#scores .fill")]
        assert widths == sorted(widths, reverse=True)
        assert re.search(r"answered in \d+(\.\d)? ms", window.one("#answer").text)
        assert window.one("#asked").text == text
        assert re.search(r"version \d+\.\d+\.\d+ .* accuracy \d\d", window.one("#facts").text)
        assert window.one("#text").get_attribute("lang") == {"intent": "fr"}.get(model, "en")
    assert window.driver.title == "nlpserve"
    assert window.failures() == []


def test_it_asks_its_own_server_alone(window, server):
    window.open(server.url + "/")
    window.shown("#model")
    requested = [url for url in window.requested() if not url.startswith("data:")]
    assert requested == [server.url + "/", server.url + "/v1/models"]


@pytest.mark.parametrize(("model", "word"), EXAMPLES.items())
def test_an_example_is_one_click(window, server, model, word):
    window.open(server.url + "/")
    window.shown("#model")
    Select(window.one("#model")).select_by_value(model)
    example = window.all("#examples button")[0]
    assert word in example.text
    example.click()
    window.shown("#result")
    assert window.one("#asked").text == example.text == window.one("#text").get_property("value")


def test_markup_in_a_text_stays_text(window, server):
    window.open(server.url + "/")
    text = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
    classify(window, "emotion", text)
    assert window.one("#asked").text == text
    assert window.all("main img, main b") == []
    assert window.driver.title == "nlpserve"


def test_errors_are_said(window, server):
    window.open(server.url + "/")
    window.shown("#model")
    window.run("document.querySelector('#text').value = 'a'.repeat(10001)")
    window.one("#send").click()
    error = window.shown("#error")
    assert "10001 characters; the limit is 10000" in error.text
    assert error.get_attribute("role") == "alert"
    assert not window.one("#result").is_displayed()
    classify(window, "emotion", "and on it goes")
    assert not window.one("#error").is_displayed()
    window.run("document.querySelector('#text').value = '   '")
    window.one("#send").click()
    assert window.shown("#error").text == "Type a text first."
    window.run("window.fetch = () => Promise.reject(new TypeError('gone'))")
    window.run("document.querySelector('#text').value = 'hello'")
    window.one("#send").click()
    window.shown("#error")
    assert "cannot be reached" in window.one("#error").text


def test_the_keyboard_is_enough(window, server):
    window.open(server.url + "/")
    window.shown("#model")
    reached = []
    for _ in range(12):
        window.driver.switch_to.active_element.send_keys(Keys.TAB)
        element = window.driver.switch_to.active_element
        reached.append(element.get_attribute("id") or element.tag_name)
        if reached[-1] != "body":
            assert (
                window.run("return getComputedStyle(document.activeElement).outlineStyle")
                == "solid"
            ), reached[-1]
        if reached[-1] == "send":
            break
    assert reached == ["a", "model", "text", *["button"] * 4, "send"]
    for field in ("model", "text"):
        assert window.all(f"label[for={field}]")


def test_a_narrow_screen_in_the_dark(window, server):
    window.open(server.url + "/", width=360, height=640, dark=True)
    classify(window, "emotion", "What a wonderful surprise, " + "thankyou" * 40)
    assert window.run("return document.documentElement.scrollWidth") == 360
    paper = style(window, ".sheet", "backgroundColor")
    assert contrast(paper, "rgb(255, 255, 255)") > 10
    for selector in (".winner", "#facts", "#asked", "nav a", ".number", "#examples button"):
        behind = paper if selector != "nav a" else style(window, "body", "backgroundColor")
        assert contrast(style(window, selector, "color"), behind) >= 4.5, selector
    top = window.run("return document.querySelector('#answer').getBoundingClientRect().top")
    assert 0 <= top < 640  # it has scrolled to the answer


def test_light_colours_are_readable(window, server):
    window.open(server.url + "/")
    classify(window, "emotion", "hello")
    paper = style(window, ".sheet", "backgroundColor")
    for selector in (".winner", "#facts", "#asked", ".number", "#examples button"):
        assert contrast(style(window, selector, "color"), paper) >= 4.5, selector
    button = style(window, "#send", "color"), style(window, "#send", "backgroundColor")
    assert contrast(*button) >= 4.5


def test_a_key_is_asked_for_only_where_it_is_wanted(window, server, strict):
    window.open(server.url + "/")
    window.shown("#model")
    assert not window.one("#key").is_displayed()
    window.open(strict.url + "/")
    assert window.shown("#error").text == "This server wants an API key."
    window.driver.switch_to.active_element.send_keys("wrong", Keys.ENTER)
    window.shown("#key")
    key = window.one("#key")
    key.clear()
    key.send_keys(KEYS[1], Keys.ENTER)
    window.shown("#text")
    assert not window.one("#error").is_displayed()
    classify(window, "topics", "topic11")
    assert window.one(".winner").text == "topic11"
    assert KEYS[1] not in window.one("#curl").get_property("textContent")


def test_many_labels_show_the_top_ten_first(window, strict):
    window.open(strict.url + "/")
    window.shown("#key").send_keys(KEYS[0], Keys.ENTER)
    window.shown("#text")
    classify(window, "topics", "topic3")
    assert len(window.all("#scores li")) == 10
    more = window.one("#more")
    assert (more.text, more.get_attribute("aria-expanded")) == ("Show all 40 labels", "false")
    more.click()
    assert sorted(window.texts("#scores .name")) == sorted(TOPICS)
    assert more.get_attribute("aria-expanded") == "true"
    more.click()
    assert len(window.all("#scores li")) == 10


def test_the_docs_render_with_every_operation(window, server):
    window.open(server.url + "/docs")
    window.shown(".opblock")
    document = requests.get(server.url + "/docs.json", timeout=20).json()
    operations = sum(len(item) for item in document["paths"].values())
    assert len(window.all(".opblock")) == operations
    assert window.failures() == []
    requested = [url for url in window.requested() if not url.startswith("data:")]
    assert all(url.startswith(server.url) for url in requested)


@pytest.fixture
def prefixed(server):
    """A proxy that puts the service behind /behind/a/prefix, as an ingress does."""
    prefix = "/behind/a/prefix"

    with proxy(
        server.url,
        lambda path: path.removeprefix(prefix) if path.startswith(prefix + "/") else None,
    ) as url:
        yield url + prefix


def test_both_pages_work_behind_a_prefix(window, prefixed):
    window.open(prefixed + "/")
    classify(window, "emotion", "Thank you so much!")
    assert window.one(".winner").text == "gratitude"
    window.one("nav a").click()
    window.shown(".opblock")
    assert window.failures() == []
