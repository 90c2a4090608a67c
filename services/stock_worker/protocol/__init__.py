"""The sync protocol's decisions, all pure: what was seen and known in, movements and the next write out."""
