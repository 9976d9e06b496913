"""foreign: messages of other services become rows, or letters."""
