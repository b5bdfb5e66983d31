# Policy entropy-merger: what the role merger may read: its own secrets and no other's.
path "secret/data/entropy/merger/*" {
  capabilities = ["read"]
}
