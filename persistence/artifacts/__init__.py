"""artifacts: the bytes that jobs leave behind; rows in Postgres, bytes in an object store.

An artifact never changes: what is saved again under its name is another one, which takes its place.  `archive` saves
one in the order that loses nothing: row, bytes, and only then it is listed, if its attempt still holds the lease.
`object_store` has the bytes; `sweep` deletes the bytes of what is not listed (any more).
"""
