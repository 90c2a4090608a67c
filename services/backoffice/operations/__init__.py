"""What people may do, without a way to ask for it: called by the command line, later by pages."""
