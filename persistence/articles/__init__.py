"""articles: what was last read at an address, and who may read it anew.

    article.py an article in words and rows
    fresh.py   which of these addresses have been read lately enough
    begin.py   one address for one job: it is known, it is yours to fetch, or somebody fetches it
    keep.py    what the fetch found: new content, the same as before, or nothing
    forget.py  what nobody has asked for in a long time

An address is given in its one spelling (wire/web_address.py).  Nothing here fetches, and nothing knows HTML.
"""
