# Policy entropy-scheduler: what discovery may read: the scheduler's own read-only token and nothing else.
path "secret/data/entropy/scheduler/*" {
  capabilities = ["read"]
}
