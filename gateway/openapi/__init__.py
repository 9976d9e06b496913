"""What the API says of itself: each route described once, the document made of that, and the pages that show it.

Only describes: nothing here takes or answers a request for a job, and a route that is not described fails a test.
"""
