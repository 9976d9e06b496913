"""ending: jobs are brought to their end because somebody asks for it."""
