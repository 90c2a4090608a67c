"""What runs on the clock: finds work that was left behind and hands it to those who do it."""
