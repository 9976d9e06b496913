"""The job types that come with Warren, one file a type: its payload, its result, and few lines between them.

What they know of mail, films, tables or the web is in trades/, where job modules of users find it too.
"""
