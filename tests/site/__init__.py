"""A site of our own making, on loopback: what crawls are proved on, with a log of who asked what when.

    words.py, articles.py     what is true of an article: title, author, date, language, text; any number is an article
    layouts.py                ten manners in which it stands in a document, among menus, banners and comments
    documents.py              what the site serves: articles, encodings, kinds, links, duplicates, refusals that end
    robots.py                 robots.txt by host, and sitemaps
    hostile.py                redirects, slow ones, floods, bombs, answers that are cut off
    server.py, asked.py       HTTP by hand, and the log
    served.py                 `with serving(folder) as site`: a process of its own; fixture `site` in tests/conftest.py
    quality.py                how well an extraction met the truth

Hosts are addresses: 127.0.0.2 to 127.0.0.61, all at one port.  Nothing here is copied from anywhere: the sentences are
drawn by dice.
"""
