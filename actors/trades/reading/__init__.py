"""What a fetched document says: its text, its article, what a selector finds, where it links to.

**Promise.**  Whatever bytes a site sends, reading them ends, within a bound of time and of memory, with a value or with
a sentence that says why not; never with a worker that hangs or dies.

**The way of a document.**  `readers` hands it to a process of its own (`reader`), because a page takes milliseconds of
processor, a bad one for ever, and the libraries that parse are written in C.  There `encodings` makes text of bytes,
`markup` a tree of text; `article`, `selectors`, `preview`, `links` and `sitemap` ask the tree.  `extractors` has what a
user knows better about one host.

All but `readers` is pure: no clock, no network, no Postgres.
"""
