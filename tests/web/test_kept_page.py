"""The page that tests share is empty for each of them."""

from playwright.sync_api import Browser

from tests.web.kept_page import SIZE, KeptPage

STORAGE = "[document.cookie, localStorage.kept, sessionStorage.kept]"
KEEP = "document.cookie = 'kept=1'; localStorage.kept = sessionStorage.kept = 1"


def test_nothing_of_one_test_is_left_for_the_next(browser: Browser, page_url_without_comfyui: str) -> None:
    kept, errors = KeptPage(browser), list[str]()
    page = kept.lend()
    page.on("console", lambda message: errors.append(message.text))
    page.goto(page_url_without_comfyui)
    page.evaluate(KEEP)
    page.evaluate("addEventListener('pagehide', () => (localStorage.kept = 2))")
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(forced_colors="active")
    page.add_init_script("window.changed = true")
    page.expose_function("ours", lambda: None)
    page.route("**/*", lambda route: route.abort())
    page.context.new_page().goto("about:blank")
    kept.take_back(is_broken=False)
    errors.clear()

    again = kept.lend()
    assert again is page
    assert again.url == "about:blank"
    assert again.viewport_size == SIZE
    assert again.context.pages == [again]
    again.evaluate("console.error('heard')")
    assert errors == []
    again.goto(page_url_without_comfyui)
    assert again.evaluate(STORAGE) == ["", None, None]
    assert again.evaluate("[window.changed, window.ours]") == [None, None]
    assert not again.evaluate("matchMedia('(forced-colors: active)').matches")
    kept.drop()


def test_a_page_that_is_broken_or_was_at_two_servers_is_not_lent_again(
    browser: Browser, page_url_without_comfyui: str
) -> None:
    kept = KeptPage(browser)
    lent = [kept.lend()]
    lent[-1].goto(page_url_without_comfyui)
    lent[-1].goto(page_url_without_comfyui.replace("127.0.0.1", "localhost"))
    kept.take_back(is_broken=False)
    lent.append(kept.lend())
    kept.take_back(is_broken=True)
    lent.append(kept.lend())

    assert len({id(page) for page in lent}) == 3
    kept.drop()
