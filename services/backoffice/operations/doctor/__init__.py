"""`stocksync doctor`: looks at everything the pipeline stands on and says what a shopkeeper can do about it."""
