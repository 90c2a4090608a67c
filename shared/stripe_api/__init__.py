"""The one door to Stripe's API: what is read, what is written, and what an answer to a write means."""
