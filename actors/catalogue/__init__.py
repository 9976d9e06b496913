"""The job types that come with Warren, one file a type."""
