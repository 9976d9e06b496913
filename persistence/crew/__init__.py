"""crew: who works, who is gone, and what becomes of the jobs they held."""
