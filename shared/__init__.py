"""What several services stand on; imports no service."""
