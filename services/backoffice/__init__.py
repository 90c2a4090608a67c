"""The people's side: operations without a face, the `stocksync` command, and one machine's supervisor."""
