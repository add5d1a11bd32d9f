"""Texts, forms and the end: what is shown is text, whatever it holds."""

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import HINTS
from tests.turing.support.pretend_study import Failure, PretendStudy, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_of_markdown(browser):
    served = Served(PretendStudy())
    page = browser.new_page()
    page.goto(f"{served.address}/study?study=none")
    yield page
    page.close()
    served.stop()


@pytest.mark.slow
def test_refused_form_says_why_and_keeps_its_answers(arrive):
    person = arrive(PretendStudy(practice=0, before=[HINTS]))
    person.study.failures["start"] = [Failure(422, code="answers")]
    person.visit()
    person.press("I agree")
    person.press("Continue")
    person.page.get_by_label("What gave").fill("Nothing")
    person.press("Start")
    person.sees("Not now.")
    person.press("Start")
    person.wait_for_trial()
    (record,) = person.study.participants.values()
    assert record.start["answers"] == {"hints": "Nothing"}


def test_markdown_and_html_in_texts_are_harmless(arrive):
    attack = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
    study = PretendStudy(
        practice=0,
        scored=1,
        title=f"Title {attack}",
        texts={
            "consent": f"{attack}\n\n**Bold** [bad](javascript:window.hacked=1) "
            "[good](https://example.org)",
            "thanks": attack,
            "agree": "<b>Yes</b>",
        },
        before=[{"id": "__proto__", "ask": attack, "choices": [attack, "other"]}],
        end={"code": attack, "return_url": "javascript:window.hacked=1"},
    )
    person = arrive(study)
    person.visit()
    page = person.page
    expect(page.get_by_role("heading")).to_have_text(f"Title {attack}")
    expect(page.locator(".prose strong")).to_have_text("Bold")
    assert page.locator(".prose a").evaluate_all("all => all.map((each) => each.href)") == [
        "https://example.org/"
    ]
    expect(page.locator(".prose")).to_contain_text("[bad](javascript:window.hacked=1)")
    person.press("<b>Yes</b>")
    person.press("Continue")
    page.get_by_label(attack, exact=True).check()
    person.press("Start")
    person.pick(0)
    person.sees("All done")
    expect(page.locator(".code")).to_have_text(attack)
    assert page.locator("#page script, #page img, #page a").count() == 0
    assert page.evaluate("window.hacked") is None
    parsing = "try { document.body.innerHTML = '<b>'; } catch (refused) { refused.name }"
    assert page.evaluate(parsing) == "TypeError"  # the page's policy: no text becomes HTML
    leaving = """new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
      fetch("http://example.invalid/").catch(() => {});
    })"""
    assert page.evaluate(leaving).startswith("http://example.invalid")
    (record,) = study.participants.values()
    assert record.start["answers"] == {"__proto__": attack}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("# Big\n## Small ##", "<h2>Big</h2><h3>Small</h3>"),
        ("- a\n- b\n  more\n\n- c", "<ul><li>a</li><li>b\nmore</li><li>c</li></ul>"),
        ("1. a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("> said\n> so", "<blockquote><p>said\nso</p></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        ("**b *i* b** _e_ `c*d*`", None),
        ("snake_case_name 2 * 3 * 4", "<p>snake_case_name 2 * 3 * 4</p>"),
        (r"\*not\* \<b>", "<p>*not* &lt;b&gt;</p>"),
        ("line  \nbreak", "<p>line<br>break</p>"),
        ("<b>&amp;</b>", "<p>&lt;b&gt;&amp;amp;&lt;/b&gt;</p>"),
        ("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"),
        ("[x](/relative)", "<p>[x](/relative)</p>"),
        ("![logo](https://example.org/x.png) of us", "<p>logo of us</p>"),
        ("*a*_b_ (_c_)_d", "<p><em>a</em><em>b</em> (<em>c</em>)_d</p>"),
    ],
)
def test_markdown(page_of_markdown, text, html):
    shown = page_of_markdown.evaluate(
        """async (text) => {
          const { markdown } = await import("/study/markdown.js");
          const place = document.createElement("div");
          place.append(markdown(text));
          return place.innerHTML;
        }""",
        text,
    )
    html = html or "<p><strong>b <em>i</em> b</strong> <em>e</em> <code>c*d*</code></p>"
    assert shown == html


@pytest.mark.slow
def test_code_is_copied(arrive):
    person = arrive(
        PretendStudy(practice=0, scored=1), permissions=["clipboard-read", "clipboard-write"]
    )
    person.begin()
    person.pick(0)
    person.press("Copy")
    person.sees("Copied")
    assert person.page.evaluate("navigator.clipboard.readText()") == "C0L0R"
