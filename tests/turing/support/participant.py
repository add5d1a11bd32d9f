"""Someone at the participant's page: what they see and press."""

from contextlib import contextmanager

from playwright.sync_api import FrameLocator, Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
COLOUR_VISION = {
    "id": "colour_vision",
    "ask": "Do you have a colour vision deficiency?",
    "choices": ["no", "yes"],
    "required": True,
}
HINTS = {"id": "hints", "ask": "What gave the photos away?", "required": False}


class Participant:
    """`served` has the server's `address`, and a pretended one's `study`."""

    def __init__(self, page: Page, served):
        self.page = page
        self.place: Page | FrameLocator = page  # where the study is shown
        self.served = served
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    @property
    def study(self):
        return self.served.study

    def visit(self, more: str = "", name: str = "demo") -> None:
        self.page.goto(f"{self.served.address}/study?study={name}{more}")

    def press(self, label: str) -> None:
        self.place.get_by_role("button", name=label, exact=True).click()

    def sees(self, text: str) -> None:
        expect(self.place.get_by_text(text, exact=True)).to_be_visible()

    def begin(self, more: str = "") -> None:
        """From the address to the first trial."""
        self.visit(more)
        self.press("I agree")
        self.press("Start")
        self.wait_for_trial()

    def wait_for_trial(self, count: str | None = None) -> None:
        if count:
            expect(self.place.locator(".count")).to_have_text(count)
        self.place.locator(".trial[data-ready]").wait_for()

    def pick(self, part: int) -> None:
        self.wait_for_trial()
        self.place.get_by_role("button", name=f"Photo {part + 1}", exact=True).click()

    def pick_by_key(self, key: str) -> None:
        self.wait_for_trial()
        self.page.keyboard.press(key)

    def press_key_twice(self, key: str) -> None:
        """What the first press asks is there as the second one comes, in the same millisecond."""
        self.page.evaluate(TWICE, key)

    def tab_to(self, name: str):
        """Tab until the button or choice `name` has the focus; its locator."""
        for _ in range(10):
            self.page.keyboard.press("Tab")
            focused = self.place.locator(":focus")
            if focused.evaluate("each => each.textContent || each.value") == name:
                return focused
        raise AssertionError(f"no {name!r} within ten Tabs")

    def kept(self, key: str) -> str | None:
        return self.page.evaluate(f"localStorage.getItem('study/demo/{key}')")

    def saved(self) -> list[int]:
        return [answer["choice"] for answer in self.study.saved]


TWICE = """async (key) => {
  const asked = () => document.querySelector(".trial").dataset.asks, before = asked();
  const press = () => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const at = performance.now();
  performance.now = () => at; // however long the page takes
  press();
  while (asked() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  press();
  delete performance.now;
}"""


@contextmanager
def dropped(page: Page, call: str, after_it_was_served: bool = False):
    """Within it, the connection breaks at each call; the list given tells how many there were."""
    broken = []

    def drop(route):
        if after_it_was_served:
            route.fetch()
        broken.append(route.request.post_data)
        route.abort()

    page.route(f"**/{call}", drop)
    yield broken
    page.unroute(f"**/{call}", drop)
