"""What ships: code in other languages with its certificate, how exact it is in floating point, and how fast."""
