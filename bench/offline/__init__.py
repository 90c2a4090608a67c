"""Two days without the keeper while the shop sells on: how all of it heals, by itself and in how few mails."""
