# Policy entropy-coder: what the role coder may read: its own secrets and no other's.
path "secret/data/entropy/coder/*" {
  capabilities = ["read"]
}
