"""submitting: from the bytes that a client sent to a submission, one, many, or a batch.

**Promise.**  One bad job of a bulk fails alone; a batch is taken whole or not at all; the same request again is
answered by what the first has made.

`submit` judges one job, for every door of this room.  `split` and `bulk` do so for thousands; `batch_request`,
`batches` and `open_batches` for those that belong together, `orders` for what is asked of all of them; `large_body`
takes apart what holds thousands, `again` knows a request that has come before.  `passing_on` publishes behind the
answer.  Rows are persistence/accepting's affair.
"""
