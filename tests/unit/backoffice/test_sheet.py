from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.backoffice.operations.whole_stock.compare import Known, NewSize, Stand, compare
from services.backoffice.operations.whole_stock.sheet import Problem, Row, Sheet, read
from shared import spreadsheet
from shared.stock_levels import HEADER, HEADER_WITH_PRICES, Level, rows
from shared.vocabulary import MAX_UNITS, ProductId, Size, StockStatus

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
EVIL = st.text(st.sampled_from("'=+-@;|,\t\r\n \"a＝"), max_size=8)
NAMES = TEXTS | EVIL
LEVELS = st.builds(
    Level,
    product=st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True).map(ProductId),
    name=NAMES,
    size=NAMES.map(Size),
    units=st.none() | st.integers(0, MAX_UNITS),
    status=st.sampled_from(StockStatus),
    shown=NAMES,
)
PRICED = st.dictionaries(st.just(ProductId("a")), NAMES)
HEAD = "Product ID,Product Name,Size,Stock,Status\r\n"


def written(levels: list[Level], prices: dict[ProductId, str] | None) -> bytes:
    """The table as `stocksync report --format csv` writes it."""
    header = HEADER if prices is None else HEADER_WITH_PRICES
    return "".join(spreadsheet.lines(header, rows(levels, prices))).encode()


@given(NAMES)
@example("'=1")
@example("'';'=")
@example("\t'=1;=2")
def test_what_was_made_safe_is_read_back_as_it_was(text: str) -> None:
    """Each text has one way to be written, which no other text shares."""
    assert spreadsheet.plain(spreadsheet.cell(text)) == text


@given(st.lists(LEVELS, min_size=1, max_size=5), st.none() | PRICED)
def test_a_table_that_was_written_is_read_as_it_was(
    levels: list[Level], prices: dict[ProductId, str] | None
) -> None:
    """Whatever names and sizes are made of, the rows come back as they were, with prices and without."""
    sheet = read(written(levels, prices))
    assert sheet.problems == ()
    assert [(row.product, row.name, row.size, row.stock) for row in sheet.rows] == [
        (one.product, one.name, one.size, str(one.units) if one.units is not None else one.shown)
        for one in levels
    ]


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}prod_1,Mug,M,7,\r\n".encode(),
        f"\ufeff{HEAD}prod_1,Mug,M,7,LOW STOCK\r\n".encode(),
        f"\ufeff{HEAD}prod_1,Mug,M,7,\r\n".replace(",", ";").encode(),
        f"{HEAD}prod_1,Mug,M,7,\r\n".replace(",", "\t").encode(),
        b"stock;size;PRODUCT id;Product Name\n7;M;prod_1;Mug",
        b"Product ID,Product Name,Size,Stock,,\rprod_1,Mug,M,7,,\r,,,,,\r\r",
        b'"Product ID","Product Name","Size","Stock"\n"prod_1","Mug","M","7"\n',
    ],
    ids=["plain", "mark", "semicolons", "tabs", "other order", "empty cells", "quoted"],
)
def test_what_spreadsheets_save_is_understood(content: bytes) -> None:
    """Separators, byte order marks, line ends, the order and the case of columns are theirs to choose."""
    assert read(content) == Sheet((Row(2, ProductId("prod_1"), "Mug", Size("M"), "7"),))


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"", [(0, "the file is empty")]),
        (b"\xef\xbb\xbf\r\n ", [(0, "the file is empty")]),
        (HEAD.encode(), [(0, "there is no row below the header")]),
        (b"Product ID,Stock\nprod_1,3\n", [(0, "there is no column 'Size'")]),
        (b"a,b\n1,2\n", [(0, f"there is no column {name!r}") for name in ("Product ID", "Size", "Stock")]),
        (b"Product ID,Size,Stock,Stock\na,b,1,1\n", [(0, "there are several columns 'Stock'")]),
        (HEAD.encode() + b"prod_1,M\xfcg,M,3,\n", [(2, "save the file as “CSV UTF-8”")]),
        (HEAD.encode("utf-16"), [(1, "save the file as “CSV UTF-8”")]),
        (HEAD.encode() + b"p,Mug, red,M,3,IN STOCK\n", [(2, "need quotes")]),
        (HEAD.encode() + b'p,"a\nb",M,3,\np,"Mug,M,3,\n', [(4, "it can't be read as a table")]),
    ],
)
def test_what_is_no_such_table_is_said(content: bytes, problems: list[tuple[int, str]]) -> None:
    """Each complaint has the line of the file where it begins, or is about all of it."""
    found = read(content).problems
    assert [
        (problem.line, text in problem.text) for problem, (_, text) in zip(found, problems, strict=True)
    ] == [(line, True) for line, _ in problems], found


def stands(**sizes: int) -> dict[Size, Stand]:
    """Sizes that can be changed, with their units."""
    return {Size(size): Stand(units, "managed", opened=True) for size, units in sizes.items()}


SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")
KNOWN = {
    SHIRT: Known(
        "Shirt", "tracked", "", {**stands(M=4, L=6), Size("S"): Stand(0, "unreadable", opened=True)}
    ),
    MUG: Known("Mug", "tracked", "", {Size(""): Stand(9, "managed", opened=True)}),
    ProductId("prod_hat"): Known("Hat", "quarantined", "odd", stands(M=1)),
    ProductId("prod_gone"): Known("Gone", "closed", "", stands(M=0)),
    ProductId("prod_new"): Known("New", "tracked", "", {Size("M"): Stand(0, "managed", opened=False)}),
    ProductId("prod_cut"): Known("Cut", "tracked", "", {Size("M"): Stand(3, "missing", opened=True)}),
}


def table(*lines: tuple[str, str, str]) -> list[Row]:
    """Rows of (product, size, stock), from line 2 on."""
    return [
        Row(line, ProductId(product), "", Size(size), stock)
        for line, (product, size, stock) in enumerate(lines, start=2)
    ]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (("prod_x", "M", "3"), "no product has the id 'prod_x'"),
        (("", "M", "3"), "there is no product id"),
        ((SHIRT, "XL", "3"), "has the sizes L, M, S (stocksync import --create-sizes creates it)"),
        ((SHIRT, "", "3"), "has the sizes L, M, S: say which one"),
        ((MUG, "M", "3"), "has no size 'M', it has no sizes"),
        ((SHIRT, "M", "-3"), "'-3' is less than nothing"),
        ((SHIRT, "M", "1000000000"), "no size can have more than 999,999,999"),
        ((SHIRT, "M", "9" * 5000), "no size can have more than 999,999,999"),
        ((SHIRT, "M", "3.5"), "'3.5' is not a plain whole number"),
        ((SHIRT, "M", "1e3"), "'1e3' is not a plain whole number"),
        ((SHIRT, "M", "٣"), "'٣' is not a plain whole number"),
        ((SHIRT, "M", "03"), "'03' is not a plain whole number"),
        ((SHIRT, "M", ""), "there is no number: write one, or take the row out"),
        ((SHIRT, "S", "3"), "has no plain whole number in Stripe"),
        (("prod_hat", "M", "3"), "Hat (prod_hat) is in quarantine (odd)"),
        (("prod_gone", "M", "3"), "was deleted in Stripe"),
        (("prod_new", "M", "3"), "nobody has looked at New (prod_new), size M yet"),
        (("prod_cut", "M", "3"), "was taken out of the product's metadata"),
    ],
)
def test_a_row_that_can_not_be_is_a_problem_of_its_line(row: tuple[str, str, str], complaint: str) -> None:
    """Whatever is wrong is said with the line; the rows beside it are none the worse."""
    found = compare(table((SHIRT, "L", "7"), row), KNOWN, create_sizes=False)
    assert [(problem.line, complaint in problem.text) for problem in found.problems] == [(3, True)], found
    assert [(change.before, change.after) for change in found.changes] == [(6, 7)]


def test_a_size_that_stands_there_twice_is_a_problem() -> None:
    """The second row is told of the first; spaces around a name make no other size."""
    found = compare(table((SHIRT, "M", "7"), (MUG, "", "9"), (SHIRT, " M ", "7")), KNOWN, create_sizes=False)
    assert found.problems == (Problem(4, "prod_shirt, size M, is in line 2 already"),)
    assert found.unchanged == 1


def test_what_an_export_shows_of_an_unreadable_size_is_left_alone() -> None:
    """Its row has no number, or with `--live` the text in Stripe: nothing is set, and nothing is wrong."""
    for stock in ("", "3 pcs"):
        found = compare(table((SHIRT, "S", stock), (SHIRT, "M", "4")), KNOWN, create_sizes=False)
        assert (found.problems, found.changes, found.left_alone, found.unchanged) == ((), (), 1, 1)


@pytest.mark.parametrize(
    ("size", "complaint"),
    [
        ("a,b", "commas"),
        ("a[b", "square brackets"),
        ("a\u200bb", "signs that can't be seen"),
        ("rev", "stock_rev is taken"),
        ("x" * 35, "at most 34 characters"),
    ],
)
def test_a_size_that_stripe_or_we_could_not_keep_is_not_created(size: str, complaint: str) -> None:
    """Names that would not be read back as one size, and our own key, are refused."""
    found = compare(table((SHIRT, size, "3")), KNOWN, create_sizes=True)
    assert [complaint in problem.text for problem in found.problems] == [True], found


def test_a_size_is_created_where_that_is_wanted() -> None:
    """Only for products that have sizes: one without them would lose the number it has."""
    found = compare(table((SHIRT, "x" * 34, "3"), (MUG, "M", "3")), KNOWN, create_sizes=True)
    assert found.new_sizes == (NewSize(2, SHIRT, "Shirt", Size("x" * 34), 3),)
    assert [problem.line for problem in found.problems] == [3]
