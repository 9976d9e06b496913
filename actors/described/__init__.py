"""The declared job types in words and tables, for docs/job-types.md and for whoever asks `warren job-types`."""
