"""The message queue: one port, two adapters, and the runtime that turns handlers' outcomes into verdicts."""
