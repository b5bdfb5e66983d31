# Policy entropy-reviewer: what the role reviewer may read: its own secrets and no other's.
path "secret/data/entropy/reviewer/*" {
  capabilities = ["read"]
}
