"""PostgreSQL: the pool, the migrations, and the embedded server of the one-machine way."""
