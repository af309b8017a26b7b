"""Tables, and later images and volumes: reading, cards, statistics; no Qt, no torch."""
