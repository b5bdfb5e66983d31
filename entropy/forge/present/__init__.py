"""JSON in the shapes that GitHub documents; one module per kind of thing."""
