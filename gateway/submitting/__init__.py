"""submitting: from the bytes that a client sent to a submission, one, many, or a batch."""
