"""A stateful stand-in for Stripe over HTTP, for the demo, the tests and the local stack."""
