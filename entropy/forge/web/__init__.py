"""The forge's pages for people: they show what the REST API tells, change nothing, and run no script."""
