# Policy entropy-scheduler: the credentials of the identity that discovers, answers commands and reacts, nothing else.
path "secret/data/entropy/scheduler/*" {
  capabilities = ["read"]
}
