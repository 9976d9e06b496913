"""batches: many jobs with one progress, one end and one order for all of them."""
