"""The whole stock at once: a table that people edited, and Stripe's numbers at the beginning."""
