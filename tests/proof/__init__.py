"""The promises, held against many seeds of everything that can go wrong."""
