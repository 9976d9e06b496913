"""accepting: a job becomes a row, and the row a message."""
