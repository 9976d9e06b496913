"""Receipts: for whom a job's mail has been taken already, so that no attempt mails anybody twice.

**Promise.**  What a server has said yes to is written before anything else is done with it, by whoever was told, and
only the current attempt may ask.  `receipts` does both; `forget` lets go of those whose job cannot be tried again.
"""
