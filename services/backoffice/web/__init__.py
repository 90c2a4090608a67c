"""Web pages for the people of the shop."""
