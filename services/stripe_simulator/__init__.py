"""A stateful stand-in for Stripe over HTTP: what the demo, the tests and the local stack sell through."""
