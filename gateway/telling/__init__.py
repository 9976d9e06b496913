"""telling: what people are told of a job: why, when, and as it happens."""
