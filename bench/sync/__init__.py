"""How soon and how cheaply a sale becomes a number in Stripe, on the real processes, and that none is lost."""
