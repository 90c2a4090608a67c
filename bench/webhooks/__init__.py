"""How many webhooks a second are accepted, durably, beside other ways to build the same door."""
