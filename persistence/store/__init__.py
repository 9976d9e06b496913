"""store: how this process talks to Postgres, whatever it asks."""
