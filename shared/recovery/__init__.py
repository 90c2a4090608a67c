"""Recovery of what no webhook told of: found in Stripe, told as a webhook would have; for job and command alike."""
