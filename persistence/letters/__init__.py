"""letters: what could not be done is kept, read and sent again."""
