"""The declared job types in words and tables, for docs/job-types.md and for whoever asks `warren job-types`.

`page` writes the tables, `schema_words` puts a JSON Schema into a reader's words.  Asks the declarations and nothing
else: no server, no setting of a running Warren.
"""
