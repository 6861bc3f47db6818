"""The command `tunable`: photographs in, photographs out."""
