"""The best constants of a family, and the proof that no others are better."""
