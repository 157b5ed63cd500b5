"""Studies of quality: each answers one question with a table; README.md lists them."""
