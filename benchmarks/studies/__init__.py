"""Studies of quality, speed and correctness: each answers one question with a table. README.md lists them."""
