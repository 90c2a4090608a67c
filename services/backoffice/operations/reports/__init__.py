"""What people ask of the ledger: stock now and then, trends, reports, the audit, exports."""
