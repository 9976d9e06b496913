"""The processes of workers: supervised, loaded by Dramatiq's command line, put together, watched, reloaded."""
