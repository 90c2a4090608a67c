"""A shop in which all stock is counted, and a table of it as a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.backoffice.operations.stocktaking import Shop as Counter
from services.backoffice.operations.whole_stock import sheet
from services.backoffice.operations.whole_stock.sheet import Sheet
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import Shop
from tests.integration.stock_worker.working import working
from tests.support.command import Command, Ended

HEAD = "Product ID,Product Name,Size,Stock,Status\r\n"


@dataclass(frozen=True, slots=True)
class Desk:
    """A shop with a mug (9 left) and a shirt (M 4, L 6), its command line, and a file to import."""

    shop: Shop
    mug: ProductId
    shirt: ProductId
    run: Command
    file: Path
    counter: Counter

    def write(self, *rows: tuple[str, str, str | int]) -> None:
        """Rows of (product, size, stock) become the file."""
        self.file.write_text(HEAD + "".join(f"{p},,{size},{stock},\r\n" for p, size, stock in rows))

    def sheet(self, *rows: tuple[str, str, str | int]) -> Sheet:
        """The same, read."""
        self.write(*rows)
        return sheet.read(self.file.read_bytes())

    def imported(self, *options: str, file: Path | None = None) -> Ended:
        """`stocksync import FILE --apply`, with a stock worker beside it; what follows from it is synced."""
        command = partial(self.run, "import", str(file or self.file), "--apply", *options)
        done = working(self.shop, [self.mug, self.shirt], command)
        self.sync()
        return done

    def sync(self) -> None:
        """The stock worker does what there is to do."""
        for product in (self.mug, self.shirt):
            self.shop.sync(product)

    def stock(self) -> tuple[dict[str, str], dict[str, str]]:
        """What Stripe shows of the mug and of the shirt."""
        return self.shop.stock(self.mug), self.shop.stock(self.shirt)

    def people(self) -> list[tuple[str, str, int, str, str]]:
        """(product, size, delta, reason, actor) of all movements of people, in order."""
        with self.shop.database.transaction() as connection:
            rows = connection.execute(
                "select product_id, size, delta, reason, actor from movement where actor <> 'stripe' order by id"
            )
            return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
