"""The forge's REST endpoints: one function each, and one line each in a table."""
