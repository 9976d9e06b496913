"""Backups: where they are kept, and what has to be known of the database that is backed up or restored.

What a backup is, how it is packed and how it is opened again is not known here: see actors/trades/backups/.
"""
