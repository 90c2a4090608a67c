"""The `stocksync` command; it only formats what the operations answer."""
