"""The history on the page: what is shown, found, opened, starred and pruned, with real takes in a real browser."""

import re

from playwright.sync_api import Locator, Page, expect

from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.records import TakeRecord
from ltx_studio.web.panels import take_cards
from ltx_studio.web.panels.gallery import PAGE
from ltx_studio.web.panels.take_cards import name_of
from tests.support import small_spec
from tests.web.conftest import Watch
from tests.web.driver import step
from tests.web.past import Visit, Visitor, eventually

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> ${1+1} {{value}} `${2+2}`"
    " @children &lt;b&gt; ' \" \\u0041 😀 שלום"
)


def cards(page: Page) -> Locator:
    return page.locator(".takes .take")


def card(page: Page, take: TakeRecord) -> Locator:
    return page.locator(f'.take[data-take="{take.id}"]')


def focused(page: Page) -> str:
    """Which control of which take has the focus."""
    return str(
        page.evaluate(
            "() => { const at = document.activeElement; const card = at.closest('.take');"
            " return card ? `${card.dataset.take} ${at.className}` : at.tagName }"
        )
    )


def make_room(page: Page) -> None:
    """Open the fold. When its sentence is there, the browser has built its fields: before, they lose their values."""
    page.get_by_role("button", name="Free up space").click()
    expect(page.locator("#room")).to_contain_text("Clips: ")


def test_a_take_that_was_rendered_is_shown_with_picture_and_words(visitor: Visitor) -> None:
    take = visitor.past.render(visitor.owner, small_spec(preset="draft", seconds=1, seed=4711))
    watch = Watch(visitor.page)
    page = visitor.open()

    shown = card(page, take)
    expect(shown).to_contain_text("a red ball bounces to the right")
    expect(shown).to_contain_text("Text to video")
    expect(shown).to_contain_text("seed 4711")
    expect(shown).to_contain_text("1.0 s")
    expect(page.get_by_role("button", name=re.compile("^Text to video, seed 4711, 1.0 s, a red ball"))).to_be_visible()
    page.wait_for_function("document.querySelector('.take img')?.naturalWidth > 0")
    assert watch.errors == []


def test_an_empty_history_teaches_and_a_search_without_answer_helps(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator(".nothing")).to_contain_text("No clips yet")
    take = visitor.give()
    page.reload()
    expect(card(page, take)).to_be_visible()

    page.get_by_label("Search prompts and tags").fill("zebra")

    expect(page.locator(".nothing")).to_contain_text("No clips match your search.")
    page.get_by_role("button", name="Show all").click()
    expect(card(page, take)).to_be_visible()
    expect(page.get_by_label("Search prompts and tags")).to_have_value("")


def test_search_finds_prompts_and_tags_and_a_mode_is_picked(visitor: Visitor) -> None:
    ball, cube, tagged = visitor.give("a red ball"), visitor.give("ein Würfel"), visitor.give("night")
    visitor.past.studio.takes.tag(tagged.id, visitor.owner, ["for the ballet"])
    modes = {"Image to video": visitor.give("this one", mode="i2v"),
             "Your own workflow": visitor.give("this one", mode="workflow")}  # fmt: skip
    page = visitor.open()
    search = page.get_by_label("Search prompts and tags")
    expect(cards(page)).to_have_count(5)
    with step("prompts and tags"):
        search.press_sequentially("BALL")
        expect(cards(page)).to_have_count(2)
        expect(card(page, ball)).to_be_visible()
        expect(card(page, tagged)).to_be_visible()
        search.fill("würfel")
        expect(cards(page)).to_have_count(1)
        expect(card(page, cube)).to_be_visible()
        search.fill("")
        expect(cards(page)).to_have_count(5)
    for shown, take in modes.items():
        with step(shown):
            page.get_by_label("Mode", exact=True).click()
            page.get_by_role("option", name=shown, exact=True).click()
            expect(cards(page)).to_have_count(1)
            expect(card(page, take)).to_contain_text(shown)


def test_a_star_is_kept_and_filtered_by(visitor: Visitor) -> None:
    takes = [visitor.give(prompt) for prompt in ("one", "two", "three")]
    page = visitor.open()
    star = card(page, takes[1]).locator(".star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_have_attribute("aria-label", re.compile("^Favourite: Text to video.*two$"))

    history = visitor.past.studio.takes
    eventually(page, lambda: history.get(takes[1].id, visitor.owner).favourite)

    page.get_by_label("Favourites only").check()

    expect(cards(page)).to_have_count(1)
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    eventually(page, lambda: not history.get(takes[1].id, visitor.owner).favourite)
    page.get_by_label("Favourites only").uncheck()
    expect(cards(page)).to_have_count(3)
    expect(star).to_have_attribute("aria-pressed", "false")


def test_more_brings_the_next_page_and_goes_when_all_are_shown(visitor: Visitor) -> None:
    takes = [visitor.give(f"take {number}") for number in range(PAGE + 2)]
    page = visitor.open()
    expect(cards(page)).to_have_count(PAGE)
    more = page.get_by_role("button", name="More", exact=True)

    more.click()

    expect(cards(page)).to_have_count(PAGE + 2)
    expect(more).to_have_count(0)
    shown = page.eval_on_selector_all(".take", "each => each.map(card => card.dataset.take)")
    assert shown == [take.id for take in reversed(takes)]
    assert focused(page) == f"{takes[1].id} open"
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#history-takes .unseen")).to_have_text(f"Clips shown: {PAGE + 2}")
    expect(cards(page)).to_have_count(PAGE + 2)


def test_a_card_opens_as_often_as_it_is_pressed(visitor: Visitor) -> None:
    first, second = visitor.give("one"), visitor.give("two")
    page = visitor.open()

    card(page, first).locator(".open").click()
    expect(page.locator("#chosen textarea")).to_have_value(f"{first.id} 1")
    card(page, first).locator(".open").click()
    expect(page.locator("#chosen textarea")).to_have_value(f"{first.id} 2")
    expect(card(page, first).locator(".open")).to_have_attribute("aria-current", "true")
    card(page, second).locator(".open").press("Enter")
    expect(page.locator("#chosen textarea")).to_have_value(f"{second.id} 3")
    card(page, second).locator(".open").press("Space")
    expect(page.locator("#chosen textarea")).to_have_value(f"{second.id} 4")
    with step("a take that is gone is a card"):
        visitor.past.studio.takes.delete(first.id, visitor.owner)
        card(page, first).locator(".open").click()
        expect(page.locator("#history-said").get_by_role("alert")).to_contain_text("There is no clip")
        expect(page.locator("#chosen textarea")).to_have_value(f"{second.id} 4")


def test_keys_lead_from_card_to_card_and_only_one_is_a_stop_of_tab(visitor: Visitor) -> None:
    takes = [visitor.give(f"take {number}") for number in range(12)][::-1]  # as they are shown
    page = visitor.open()
    columns = page.evaluate(
        "(() => { const all = [...document.querySelectorAll('.take')];"
        " return all.filter(each => each.offsetTop === all[0].offsetTop).length })()"
    )
    assert 1 < columns < len(takes)
    card(page, takes[0]).locator(".open").focus()

    for key, index in (("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0),
                       ("ArrowUp", 0), ("End", 11), ("ArrowRight", 11), ("Home", 0)):  # fmt: skip
        page.keyboard.press(key)
        assert focused(page) == f"{takes[index].id} open", key
    page.keyboard.press("ArrowRight")
    for control in ("star", "mark", "tag"):
        page.keyboard.press("Tab")
        assert focused(page) == f"{takes[1].id} {control}"
    page.keyboard.press("ArrowRight")
    assert focused(page) == f"{takes[2].id} tag"
    page.keyboard.press("Tab")
    assert focused(page) == "BUTTON" or focused(page) == "INPUT"
    assert page.locator('.take [tabindex="0"]').count() == 4
    with step("letters star and mark the card at hand"):
        card(page, takes[0]).locator(".open").focus()
        page.keyboard.press("f")
        page.keyboard.press("m")
        expect(card(page, takes[0]).locator(".star")).to_have_attribute("aria-pressed", "true")
        expect(card(page, takes[0]).get_by_role("checkbox", name="Mark for comparison")).to_be_checked()
        expect(page.locator(".marks")).to_have_text("1 of 2 marked")
    with step("the focus is seen"):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outline")
        assert "rgb(224, 164, 88) solid 2px" in outline
    with step("the focus stays with its take when another one comes in"):
        card(page, takes[0]).locator(".star").focus()
        newest = visitor.give("newest")
        page.evaluate(
            "[...document.querySelectorAll('button')].find(each => each.textContent.trim() === 'Refresh').click()"
        )
        expect(card(page, newest)).to_be_visible()
        assert focused(page) == f"{takes[0].id} star"


def test_hostile_words_are_shown_and_not_run(visitor: Visitor) -> None:
    visitor.give("plain")
    take = visitor.give(HOSTILE)
    other = visitor.give("x" * 5000)
    watch = Watch(visitor.page)
    page = visitor.open()

    expect(card(page, take).locator(".prompt")).to_have_text(HOSTILE)
    expect(card(page, take).locator(".open")).to_have_attribute("aria-label", re.compile(re.escape("${1+1} {{value}}")))
    for each in (take, other):
        card(page, each).locator(".mark").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".facts").first.locator("dd").first).to_have_text(HOSTILE)
    assert page.title() == "History"
    assert watch.errors == []
    with step("on a next page, too"):
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        for number in range(PAGE):
            visitor.give(f"take {number}")
        page.reload()
        expect(cards(page)).to_have_count(PAGE)
        expect(card(page, take)).to_have_count(0)
        page.get_by_role("button", name="More", exact=True).click()
        expect(card(page, take).locator(".prompt")).to_have_text(HOSTILE)
        assert page.title() == "History"


def test_a_take_without_a_picture_is_a_tile_and_nothing_is_wider_than_a_narrow_window(visitor: Visitor) -> None:
    take = visitor.give("silent night")
    visitor.past.studio.takes.poster(take.id).unlink()
    visitor.give("verylongword" * 40)
    visitor.give(HOSTILE)
    visitor.page.set_viewport_size({"width": 320, "height": 844})
    page = visitor.open()

    expect(card(page, take).locator(".tile")).to_contain_text("No preview")
    for width in (320, 390):
        with step(f"{width} wide"):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_visitors_see_their_own_takes_only(visit: Visit) -> None:
    ada, bob = visit(), visit()
    hers, his = ada.give("hers"), bob.give("his")
    page, other = ada.open(), bob.open()

    expect(cards(page)).to_have_count(1)
    expect(cards(other)).to_have_count(1)
    page.evaluate("take => { document.querySelector('.take').dataset.take = take }", his.id)
    page.locator(".take .open").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no clip")
    page.locator(".take .star").click()
    page.locator(".take .mark").click()
    page.evaluate("take => { document.querySelector('.take').dataset.take = take }", hers.id)
    page.locator(".take .mark").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is no clip")
    assert not ada.past.studio.takes.get(his.id, bob.owner).favourite


def test_pruning_asks_and_keeps_favourites(visitor: Visitor) -> None:
    takes = [visitor.give(f"take {number}") for number in range(4)]
    history = visitor.past.studio.takes
    history.set_favourite(takes[0].id, visitor.owner)
    files = [history.path(take) for take in takes]
    page = visitor.open()
    make_room(page)
    expect(page.locator("#room")).to_contain_text("Clips: 4. Favourites: 1. Disk space: ")
    expect(page.locator("#room-delete")).to_have_count(0)

    page.get_by_label("Newest clips to keep, besides favourites").fill("1")
    page.get_by_role("button", name="Preview").click()

    expect(page.locator("#room-asked")).to_contain_text("Oldest clips to delete permanently: 2 (")
    assert all(file.exists() for file in files)
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_role("button", name="Delete 2")).to_have_count(0)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Delete 2").click()
    expect(page.locator("#room-asked")).to_contain_text("Deleted: 2.")
    expect(page.locator("#room")).to_contain_text("Clips: 2.")
    expect(cards(page)).to_have_count(2)
    assert [file.exists() for file in files] == [True, False, False, True]


def test_what_was_not_asked_for_is_not_deleted(visitor: Visitor) -> None:
    takes = [visitor.give(f"take {number}") for number in range(4)]
    page = visitor.open()
    make_room(page)
    page.get_by_label("Newest clips to keep, besides favourites").fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Delete 1")).to_be_visible()

    page.get_by_label("Newest clips to keep, besides favourites").fill("2")
    page.get_by_role("button", name="Delete 1").click()
    expect(page.get_by_role("button", name="Delete 2")).to_be_visible()
    visitor.give("meanwhile")
    page.get_by_role("button", name="Delete 2").click()

    expect(page.get_by_role("button", name="Delete 3")).to_be_visible()
    assert all(visitor.past.studio.takes.path(take).exists() for take in takes)


def test_pruning_by_size_and_without_a_limit(visitor: Visitor) -> None:
    takes = [visitor.give(f"take {number}") for number in range(3)]
    page = visitor.open()
    make_room(page)
    look = page.get_by_role("button", name="Preview")
    look.click()
    expect(page.locator("#room-asked")).to_contain_text("Enter how many clips to keep")

    page.get_by_label("Keep at most, in GB").fill("much")
    look.click()
    expect(page.locator("#room-asked").get_by_role("alert")).to_contain_text("'much' isn't a number.")
    page.get_by_label("Keep at most, in GB").fill("-1")
    look.click()
    expect(page.locator("#room-asked").get_by_role("alert")).to_contain_text("The number to keep is negative")
    page.get_by_label("Keep at most, in GB").fill(f"{takes[0].bytes * 2.5 / 1e9:.9f}")
    look.click()
    page.get_by_role("button", name="Delete 1").click()

    expect(cards(page)).to_have_count(2)
    expect(card(page, takes[0])).to_have_count(0)


def test_a_long_prompt_is_cut_where_it_is_read_out(visitor: Visitor) -> None:
    take = visitor.give("many words " * 100)

    assert name_of(take).startswith("Text to video, seed 23, 1.0 s, many words many")
    assert len(name_of(take)) < 170
    assert name_of(take).endswith("…")


def test_takes_stand_under_their_day_and_those_of_a_batch_on_one_sheet(visitor: Visitor) -> None:
    hour = 3600
    visitor.give("long ago", ago=400 * 24 * hour)
    sheet = [visitor.give("four of it", ago=48 * hour, batch=visitor.owner, seed=seed) for seed in range(4)]
    yesterday, _ = visitor.give("before", ago=24 * hour), visitor.give("now")
    page = visitor.open()

    with step("the days, by the browser's clock"):
        days = page.locator(".day:not([hidden])")
        expect(days).to_have_count(4)
        expect(days.nth(0)).to_have_text("Today")
        expect(days.nth(1)).to_have_text("Yesterday")
        expect(days.nth(2)).to_have_text(re.compile(r"^\d+ \w+$"))
        expect(days.nth(3)).to_have_text(re.compile(r"^\d+ \w+ \d{4}$"))
    with step("a batch is one contact sheet"):
        shown = page.locator(".sheet")
        expect(shown.locator(".take")).to_have_count(len(sheet))
        expect(shown.locator(".sheet-head")).to_have_text("4 clipsfour of it")
        expect(shown.get_by_role("button", name="Delete the other")).to_have_count(0)
        expect(shown.locator(".take .prompt").first).to_be_hidden()
    with step("keys lead through it"):
        card(page, yesterday).locator(".open").focus()
        page.keyboard.press("ArrowDown")
        assert focused(page) == f"{sheet[3].id} open"
        page.keyboard.press("End")
        page.keyboard.press("ArrowUp")
        assert page.evaluate("Boolean(document.activeElement.closest('.sheet'))")
    with step("one press keeps a clip, the next deletes the others"):
        for take in (sheet[1], sheet[2]):
            card(page, take).get_by_role("button", name="Keep as a favourite").click()
        shown.get_by_role("button", name="Delete the other 2").click()
        expect(shown.locator(".take")).to_have_count(2)
        assert focused(page) == f"{sheet[2].id} open"
        left = visitor.past.studio.takes.page(visitor.owner).takes
        assert {take.id for take in left if take.favourite} == {sheet[1].id, sheet[2].id}
        assert len(left) == 5


def test_a_take_plays_while_it_is_looked_at_and_is_tagged(visitor: Visitor) -> None:
    first, last = visitor.give("first"), visitor.give("last")
    watch = Watch(visitor.page)
    clips: list[str] = []
    visitor.page.on("request", lambda asked: clips.append(asked.url) if asked.url.endswith(".mp4") else None)
    visitor.page.emulate_media(reduced_motion="no-preference")
    page = visitor.open()

    with step("the whole frame is shown on a wide tile"):
        fit = "element => [getComputedStyle(element).objectFit, element.clientWidth / element.clientHeight]"
        how, wide = card(page, last).locator(".tile img").evaluate(fit)
        assert how == "contain"
        assert abs(wide - 16 / 9) < 0.03
        expect(card(page, last).locator(".length")).to_have_text("1.0 s")
    with step("the clip is loaded and plays, without sound, while it is looked at"):
        assert not clips
        card(page, last).hover()
        video = card(page, last).locator("video")
        expect(video).to_have_class(re.compile("is-on"))
        assert video.evaluate("video => [video.muted, video.loop, video.paused]") == [True, True, False]
        assert clips
        page.mouse.move(0, 0)
        expect(video).to_have_count(0)
        card(page, last).locator(".open").focus()
        page.keyboard.press("End")
        expect(card(page, first).locator("video")).to_have_count(1)
    with step("not where nothing is to move"):
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("document.activeElement.blur()")
        card(page, last).hover()
        page.wait_for_timeout(400)
        expect(page.locator(".take video")).to_have_count(0)
    with step("tags are added and found"):
        card(page, last).locator(".open").focus()
        page.keyboard.press("t")
        dialog = page.get_by_role("dialog", name="Tags")
        page.keyboard.type("best, <b>night</b> ")
        page.keyboard.press("Enter")
        expect(card(page, last).locator(".tags span")).to_have_text(["best", "<b>night</b>"])
        expect(dialog.locator(".chosen li")).to_have_count(2)
        dialog.get_by_role("button", name="Remove tag <b>night</b>").click()
        expect(card(page, last).locator(".tags span")).to_have_text(["best"])
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(card(page, last).locator(".tag")).to_be_focused()
        page.get_by_label("Search prompts and tags").fill("best")
        expect(cards(page)).to_have_count(1)
        expect(card(page, last).locator(".tags")).to_have_text("best")
        assert visitor.past.studio.takes.get(last.id, visitor.owner).tags == ("best",)
    assert watch.errors == []


def test_takes_of_one_batch_are_together_and_a_page_that_ends_in_one_goes_on_with_it(settings: Settings) -> None:
    studio = Studio(settings)

    def record(number: int, batch: str | None, prompt: str = "<i>") -> TakeRecord:
        return TakeRecord(f"t{number}", f"j{number}", "ada", "t2v", 0.0, "a.mp4", 1, prompt, {"params": {}}, {}, number,
                          False, ("a<b",), batch=batch)  # fmt: skip

    html = take_cards.items(studio, [record(4, None), record(3, "b"), record(2, "b", "other"), record(1, None)])

    assert [html.count(f'class="{name}"') for name in ("day", "take", "sheet", "sheet same")] == [3, 4, 1, 0]
    assert "<i>" not in html
    assert "<span>a&lt;b</span>" in html
    assert 'class="sheet same"' in take_cards.items(studio, [record(3, "b"), record(2, "b")])
    assert "sheet" not in take_cards.items(studio, [record(3, "b"), record(2, "c")])
