"""The only writer of stock: books sales, syncs products to Stripe, raises alerts."""
