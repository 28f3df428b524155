"""The ledger: statements of the field, each beside the check that decides it."""
