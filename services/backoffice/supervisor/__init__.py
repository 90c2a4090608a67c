"""Everything on one machine: starts the services, restarts what dies, stops it all cleanly."""
