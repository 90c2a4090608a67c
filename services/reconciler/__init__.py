"""Runs scheduled jobs that arrive as messages; only reads Stripe."""
