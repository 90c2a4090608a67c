"""The webhook door: verify, translate, publish with confirm, answer."""
