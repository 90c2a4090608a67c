from __future__ import annotations

import re

from tests.support import inboxes, past
from tests.support.pages import Browser, Pages


def test_a_line_is_placed_on_the_size_that_was_chosen(site: Pages, olga: Browser) -> None:
    """The page offers the sizes of the product that the sale names; the one chosen is sold, by whom and why."""
    shirt = past.product(site.database, "Shirt", "M", "L")
    number, session = inboxes.held(site.database, shirt, "medium")
    page = olga.see(f"/unplaced/{number}")
    assert re.findall(r'name="size" value="(\w)"', page) == ["M", "L"]
    assert "medium" in page
    told = olga.done(f"/unplaced/{number}/place", product=shirt, size="M", reason="asked her")
    assert f"Shirt ({shirt}), size M: 10 → 8, sold in {session}." in told
    assert past.moved(site.database, shirt) == [("sale", "M", -2, session, "olga", "asked her")]
    assert site.row("select state, resolved_by from unplaced_sale where id = %s", number) == (
        "placed",
        "olga",
    )
    assert inboxes.open_alerts(site.database, f"{session}/li_1") == 0
    assert f'href="/unplaced/{number}"' not in olga.see("/unplaced")
    assert "placed by olga" in olga.see("/unplaced?show=all")


def test_money_that_went_back_is_told_before_a_line_is_placed(site: Pages, olga: Browser) -> None:
    """List and page say how much went back of the sale; a sale without a refund says nothing of money."""
    shirt = past.product(site.database, "Refunded shirt", "M", "L")
    number, session = inboxes.held(site.database, shirt, "middling")
    assert "went back" not in olga.see(f"/unplaced/{number}") + olga.see("/unplaced")
    inboxes.money_back(site.database, session)
    assert "; 490 JPY went back</td>" in olga.see("/unplaced")
    page = olga.see(f"/unplaced/{number}")
    assert "<dt>Money that went back</dt><dd>490 JPY</dd>" in page
    assert "where the goods never left, or are on the shelf again, it takes no stock" in page
    assert "Dismissed by stocksync" in olga.see("/refunds?show=decided")


def test_placing_may_teach_what_such_lines_are(site: Pages, olga: Browser) -> None:
    """With the box ticked an alias is kept, and the notice says how many of those that wait say the same."""
    shirt = past.product(site.database, "Taught shirt", "M", "L")
    number, _ = inboxes.held(site.database, shirt, "mid")
    inboxes.held(site.database, shirt, "mid")
    assert 'name="always"' in olga.see(f"/unplaced/{number}")
    told = olga.done(f"/unplaced/{number}/place", product=shirt, size="M", reason="", always="yes")
    assert "is placed by itself" in told
    assert "1 of those that wait say the same" in told
    assert site.row("select told_size, size, by from alias where product_id = %s", shirt) == (
        "mid",
        "M",
        "olga",
    )


def test_products_are_found_by_searching_with_and_without_scripts(site: Pages, olga: Browser) -> None:
    """A search lists what matches, one of them shows its sizes; a script is given that part of the page alone."""
    scarf = past.product(site.database, "Woollen scarf", "long", "short")
    number, _ = inboxes.held(site.database, None)
    for part, look in ((False, olga.see), (True, olga.part)):
        found = look(f"/unplaced/{number}?q=woollen")
        assert f"/unplaced/{number}?product={scarf}" in found
        sizes = look(f"/unplaced/{number}?product={scarf}")
        assert re.findall(r'name="size" value="(\w+)"', sizes) == ["long", "short"]
        assert ("<!doctype html>" in found) is not part
    assert "No product that keeps stock" in olga.see(f"/unplaced/{number}?q=nobodysells")


def test_a_product_without_sizes_needs_none_typed(site: Pages, olga: Browser) -> None:
    """Typed by hand, the only size there is is meant; where there are several, the problem names them."""
    mug, socks = past.product(site.database, "Mug of tin"), past.product(site.database, "Socks", "S", "M")
    number, session = inboxes.held(site.database, None)
    problem = olga.refused(f"/unplaced/{number}/place", product="Socks", typed="", reason="")
    assert "Say which size of Socks" in problem
    assert "M, S" in problem
    assert "has no size" in olga.refused(f"/unplaced/{number}/place", product="Socks", typed="XXL")
    assert "no product has the id" in olga.refused(f"/unplaced/{number}/place", product="Nosuch").lower()
    assert "which product" in olga.refused(f"/unplaced/{number}/place", product="  ")
    assert past.moved(site.database, socks) == []
    assert site.row("select state from unplaced_sale where id = %s", number) == ("open",)
    olga.done(f"/unplaced/{number}/place", product="Mug of t", typed="")
    assert past.moved(site.database, mug) == [("sale", "", -2, session, "olga", "")]


def test_a_line_that_takes_no_stock_is_dismissed_once(site: Pages, olga: Browser) -> None:
    """It is over with its alert and moves nothing; who comes second hears who was first."""
    shirt = past.product(site.database, "Gift card", "10", "20")
    number, session = inboxes.held(site.database, shirt)
    assert session in olga.done(f"/unplaced/{number}/dismiss")
    assert site.row("select state, resolved_by from unplaced_sale where id = %s", number) == (
        "dismissed",
        "olga",
    )
    assert inboxes.open_alerts(site.database, f"{session}/li_1") == 0
    late = olga.refused(f"/unplaced/{number}/place", product=shirt, size="10")
    assert "was dismissed by olga already" in late
    assert past.moved(site.database, shirt) == []
    assert "/place" not in olga.see(f"/unplaced/{number}")


def test_a_problem_of_a_form_comes_beside_it(site: Pages, olga: Browser) -> None:
    """A script is answered with the problem alone, and with the next page where there is none."""
    number, _ = inboxes.held(site.database, past.product(site.database, "Cap", "S", "M"))
    path, fields = f"/unplaced/{number}/place", {"csrf": olga.csrf(), "product": "Cap", "typed": ""}
    wrong = olga.post(path, fields, HX_Request="true")
    assert (wrong.status_code, wrong.text.startswith('<p class="problem"')) == (422, True)
    right = olga.post(path, {**fields, "size": "M"}, HX_Request="true")
    assert (right.status_code, right.headers["HX-Redirect"]) == (200, "/unplaced")
