"""mending: waiting jobs whose message is gone, or never comes."""
