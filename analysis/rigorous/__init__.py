"""How far one function is from another: enclosures by Arb ball arithmetic."""
