"""The side of the people who run the shop: command line and, on top of the same operations, pages."""
