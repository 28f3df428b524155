"""What an activation is: primitives, records, catalogue, grammar and numeric functions."""
