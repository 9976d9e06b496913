"""The bytes of artifacts over HTTP: told as what they are, and never run as a page of ours.

`streaming` sends them as they come from the store, `ranges` reads which part is wanted, `headers` sees to it that what
a stranger has written is neither sniffed nor run.  Lists and deletes are rest/artifacts.py.
"""
