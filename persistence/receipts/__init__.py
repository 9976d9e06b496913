"""Receipts: for whom a job's mail has been taken already, so that no attempt mails anybody twice."""
