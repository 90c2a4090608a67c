"""How long a snapshot and a verification of a large shop take under Stripe's limits, and in how much memory."""
