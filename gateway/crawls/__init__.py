"""crawls: articles by the thousand, asked for in one request.

    request.py  what POST /api/v1/crawls takes: addresses, told by their place when they are none
    making.py   which of them are known, and a job for each that is not, so that hosts take turns
    listing.py  what was read, as JSON lines or CSV, however much it is

How an article is read is the affair of the job type `scrape_article`; what is known of it lies in persistence/articles.
"""
