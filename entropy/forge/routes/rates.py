"""What is left of whoever asks' budgets."""

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.limits import BUCKETS


def get(call: Call) -> Reply:
    limits = call.store.limits
    states = {bucket: limits.state(limits.ticket(call.db, call.identity, bucket)) for bucket in BUCKETS}
    return Reply(data={"resources": states, "rate": states["core"]})


TABLE = (Endpoint("GET", "/rate_limit", get),)
