"""crawls: batches of articles that somebody asked for.

    crawl.py    a crawl in words
    make.py     the batch, its jobs and the list of its articles, all or nothing
    read.py     how a crawl stands, and what was read for it
    forget.py   the list, when somebody deletes it or its batch has had its day

A crawl is a batch with a list that outlives its jobs: one row for each article in the order in which it was asked for.
What was fresh enough is answered in its row from the beginning; the rows of the others are answered by the jobs that
read them (articles/keep.py, articles/begin.py), each in the commit that keeps what was read.
"""
