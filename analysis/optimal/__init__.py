"""Which constants are best."""
