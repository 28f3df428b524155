"""What is true of an activation: breakpoints, extrema, asymptotes and identities, by exact algebra."""
