from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial

from services.backoffice.operations.stocktaking import Author
from services.backoffice.operations.whole_stock import importing, new_sizes, sheet
from shared.stripe_api.client import StripeApi
from tests.integration.stock_worker.conftest import KEY
from tests.integration.stock_worker.shop import LONG_AGO
from tests.integration.stock_worker.whole_stock.desk import Desk
from tests.integration.stock_worker.working import working

EVIL = ('=1+1,"big"\r\nnext', "Mug; =red", "'=quoted")


def test_an_export_is_imported_as_it_is_and_edited(desk: Desk) -> None:
    """Commas, quotes, line breaks and formulas in names, odd sizes and none at all: the table comes back as it was."""
    odd = ("=S", "a b", "X'L", "ü", "+1;-2", "08")
    stocks = {f"stock_{size}": str(n) for n, size in enumerate(odd)}
    shirt = desk.shop.product(sizes=",".join(odd), **stocks)
    products = [shirt, desk.shop.product(stock="7"), desk.shop.product(sizes="M", stock_M="3 pcs")]
    for product, name in zip(products, EVIL, strict=True):
        desk.shop.stripe.v1.products.update(product, {"name": name})
        desk.shop.sync(product)
    exported = desk.run("report", "--format", "csv").output
    desk.file.write_bytes(exported)
    same = json.loads(desk.run("import", str(desk.file), "--json").stdout)
    assert (same["changes"], same["unchanged"], same["left_alone"], same["problems"]) == ([], 10, 1, [])
    table = list(csv.reader(io.StringIO(exported.decode(), newline="")))
    edited = [[*row[:3], str(int(row[3]) + 5), row[4]] if row[3].isdigit() else row for row in table]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(edited)
    desk.file.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    command = partial(desk.run, "import", str(desk.file), "--apply")
    done = working(desk.shop, [desk.mug, desk.shirt, *products], command)
    assert (done.returncode, done.stderr) == (0, "")
    for product in products:
        desk.shop.sync(product)
    assert desk.shop.stock(shirt) == {size: str(n + 5) for n, size in enumerate(odd)}
    assert desk.shop.stock(products[2]) == {"M": "3 pcs"}


def test_sizes_are_created_where_that_is_wanted(desk: Desk) -> None:
    """They are an edit like a person's, without marker or a number that is there, and the worker adopts them."""
    desk.write((desk.shirt, "M", 5), (desk.shirt, "XL", 7), (desk.shirt, "S", 0))
    refused = desk.run("import", str(desk.file), "--apply")
    assert refused.stderr.count("stocksync import --create-sizes creates it") == 2
    shown = json.loads(desk.run("import", str(desk.file), "--create-sizes", "--json").stdout)
    assert [(one["size"], one["units"]) for one in shown["create"]] == [("XL", 7), ("S", 0)]
    assert desk.shop.metadata(desk.shirt)["sizes"] == "M,L"
    sent = watched(desk)
    done = desk.imported("--create-sizes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Shirt ({desk.shirt}), size XL was created in Stripe with 7" in done.stdout
    assert sent() == [{"sizes": "M,L,XL,S", "stock_XL": "7", "stock_S": "0"}]
    assert desk.stock()[1] == {"M": "5", "L": "6", "XL": "7", "S": "0"}
    assert ("opening", "XL", 7) in desk.shop.movements(desk.shirt)
    assert json.loads(desk.run("import", str(desk.file), "--create-sizes", "--json").stdout)["unchanged"] == 3


def watched(desk: Desk) -> Callable[[], list[dict[str, str]]]:
    """What people's edits have sent since: the keys of each that no write of ours has touched, from Stripe's events."""

    def sent() -> list[dict[str, str]]:
        updates = desk.shop.deps.stripe.product_updates(desk.shirt, LONG_AGO)
        return [
            {key: update.metadata[key] for key in update.previous_metadata}
            for update in updates
            if update.idempotency_key and update.idempotency_key.startswith("stocksync-import:")
        ]

    return sent


def test_a_size_that_stripe_does_not_take_is_reported_after_the_rest(desk: Desk) -> None:
    """The counts are committed by then; what failed is named, and the next import does the rest."""
    desk.write((desk.shirt, "M", 5), (desk.shirt, "XL", 7))
    table = sheet.read(desk.file.read_bytes())
    work = partial(importing.apply, desk.counter, table, Author("eve"), create_sizes=True)
    done = working(desk.shop, [desk.shirt], work)
    desk.sync()
    desk.shop.fault("error_before", path="^/v1/products/", method="POST")
    created = new_sizes.create(desk.counter, StripeApi(KEY, desk.shop.url), done.found.new_sizes, done.batch)
    assert ["may have done it" in one.why for one in created] == [True]
    desk.sync()
    assert desk.stock()[1]["M"] == "5"
    again = desk.imported("--create-sizes")
    assert again.returncode == 0, again.stderr
    assert desk.stock()[1] == {"M": "5", "L": "6", "XL": "7"}
    there = new_sizes.create(desk.counter, StripeApi(KEY, desk.shop.url), done.found.new_sizes, "later")
    assert [one.why for one in there] == ["Stripe shows XL by now"]
