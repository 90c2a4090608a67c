"""Whether verifications are right: nothing is found while a busy shop is sound, everything once it is not."""
