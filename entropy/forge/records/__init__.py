"""The forge's SQL: rows in, rows out; one module per kind of thing."""
