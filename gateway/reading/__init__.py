"""reading: jobs as they stand, told in the structs of `answers`, for every door of this room."""
