"""Real servers for the tests, and what several tests ask of them."""
