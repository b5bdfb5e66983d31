"""GraphQL as far as programs need it: documents over a fixed set of types, without introspection."""
