"""Deeds that change a stock or look at it: goods, lists, files, and logging in to do so."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from shared.topology import PRODUCTS
from shared.vocabulary import ProductId
from tests.e2e.pages.deeds import Scene, deed
from tests.e2e.pages.shop import stock_worker
from tests.support import past


@deed("login.enter", "login.leave", chief=True, alone=True)
def log_in_and_out(scene: Scene) -> None:
    """A wrong password is said so, the right one leads to the page that was asked for, and logging out ends it all."""
    page = scene.page
    scene.go("/products?show=out")
    scene.log_in("not the password")
    expect(page.get_by_role("alert")).to_have_text("Name and password don't fit.")
    scene.log_in()
    expect(page).to_have_url(re.compile(r"/products\?show=out$"))
    scene.press(page, "Log out")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    scene.pages.execute("delete from login_failure")


def _change(scene: Scene, shirt: ProductId, what: str, units: str) -> None:
    """Change the ten of its size M so, from the list of products on."""
    before = scene.ready(PRODUCTS)
    scene.go(f"/products?q={shirt}")
    scene.hand.press(scene.page.locator(f"th a[href='/products/{shirt}']"))
    form = scene.part("Change it")
    scene.hand.tick(form.get_by_label(what))
    scene.choose(form, "Size", "M")
    scene.write(form, "Units", units)
    scene.write(form, "Why", "so it is")
    scene.press(form, "Change the stock")
    after = units if "counted" in what else str(10 + int(units))
    scene.told(f"10 → {after}")
    now = scene.part("Now").get_by_role("row").filter(has=scene.page.get_by_role("rowheader", name="M"))
    expect(now).to_contain_text(after)
    assert scene.ready(PRODUCTS) > before


@deed("products.change", chief=True)
def restock(scene: Scene) -> None:
    """Goods came in."""
    shirt, _ = scene.product("Shirt", "S", "M")
    _change(scene, shirt, "Goods came in", "15")
    assert past.moved(scene.database, shirt) == [("restock", "M", 15, None, "olga", "so it is")]


@deed("products.change", chief=True)
def correct_by_a_count(scene: Scene) -> None:
    """Somebody counted: the stock worker looks first, so that nothing typed into the Dashboard counts twice."""
    shop = scene.stage.shop
    shirt = shop.product(sizes="S,M", stock_S="10", stock_M="10")
    shop.sync(shirt)
    with stock_worker(shop, shirt):
        _change(scene, shirt, "Somebody counted", "13")
    shop.sync(shirt)
    assert past.moved(scene.database, shirt) == [("adjustment", "M", 3, None, "olga", "so it is")]
    assert shop.stock(shirt) == {"S": "10", "M": "13"}


@deed("products.change")
def adjust(scene: Scene) -> None:
    """Something was wrong by so many."""
    shirt, _ = scene.product("Shirt", "S", "M")
    _change(scene, shirt, "Something was wrong", "+2")
    assert past.moved(scene.database, shirt) == [("adjustment", "M", 2, None, "olga", "so it is")]


@deed("products.threshold")
def say_when_a_size_is_low(scene: Scene) -> None:
    """From now on this size is low at another number."""
    shirt, _ = scene.product("Shirt", "S", "M")
    scene.go(f"/products/{shirt}")
    form = scene.part("When it counts as low")
    scene.choose(form, "Of", "size M")
    scene.write(form, "Low at, or below", "11")
    scene.press(form, "Keep that")
    scene.told("Size M is low at 11 or below.")
    expect(scene.part("Now").get_by_role("table")).to_contain_text("low stock")
    kept = scene.pages.execute(
        "select size, threshold from variant where product_id = %s order by size", shirt
    )
    assert kept == [("M", 11), ("S", None)]


@deed("stock_import.preview", "stock_import.apply", "stock_import.undo", chief=True)
def import_a_counted_list_and_take_it_back(scene: Scene) -> None:
    """A file is looked at, which changes nothing, then done, then taken back."""
    shop, page = scene.stage.shop, scene.page
    cup = shop.product(stock="10")
    shop.sync(cup)
    with tempfile.TemporaryDirectory() as folder, stock_worker(shop, cup):
        file = Path(folder, "counted.csv")
        file.write_text(f"Product ID,Product Name,Size,Stock,Status\n{cup},,,25,\n")
        scene.go("/import")
        scene.hand.give(page.get_by_label("The file"), file)
        scene.press(page, "Show what it changes")
        expect(page.get_by_role("table")).to_contain_text("+15")
        assert past.moved(scene.database, cup) == []
        scene.write(page, "Why", "counted")
        scene.press(page, "Change all of it")
        scene.told("Sizes changed: 1")
        changed = ("adjustment", "", 15, None, "olga", "counted")
        assert past.moved(scene.database, cup) == [changed]
        undo = scene.part("Take an import back")
        scene.write(undo, "Why", "wrong list")
        scene.press(undo, "Take it back")
        scene.told("Sizes taken back: 1")
    assert past.moved(scene.database, cup) == [changed, ("adjustment", "", -15, None, "olga", "wrong list")]


@deed("snapshots.as_csv", "snapshots.as_json")
def save_a_snapshot(scene: Scene) -> None:
    """It is looked at, and kept as a file of each kind."""
    scene.go("/snapshots")
    scene.follow(scene.page.get_by_role("table"), "2")
    saved = scene.part("All of it")
    for link, row in (("CSV", "'=Mug"), ("JSON", '"stocksync.report/1"')):
        with scene.page.expect_download() as download:
            scene.follow(saved, link)
        assert row in download.value.path().read_text()


@deed("snapshots.now_as_csv", "snapshots.now_as_json")
def save_the_stock(scene: Scene) -> None:
    """As it is now, as a file of each kind."""
    shirt, name = scene.product("Shirt", "M")
    scene.go("/products")
    for link, row in (("CSV", f"{shirt},{name},M,10,IN STOCK"), ("JSON", f'"{name}"')):
        with scene.page.expect_download() as download:
            scene.follow(scene.page.get_by_role("main"), link)
        assert row in download.value.path().read_text()


@deed("overview.figures", alone=True)
def leave_the_overview_open(scene: Scene) -> None:
    """It shows within seconds what happens meanwhile."""
    scene.page.clock.install()
    scene.go("/")
    scene.log_in()
    units = scene.page.locator("dt:has-text('Units on hand') + dd .more")
    before = units.inner_text()
    scene.product("Shirt", "M", "L")
    scene.page.clock.fast_forward(5_000)
    expect(units).not_to_have_text(before)
