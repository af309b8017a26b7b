"""Morris screening: designs, elementary effects, and the parts of an input that are its factors."""
