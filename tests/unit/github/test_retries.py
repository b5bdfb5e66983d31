import pytest
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError

from entropy.github.retries import ReadsOnly

WRITES = ["POST", "PATCH", "PUT", "DELETE"]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    "error", [ProtocolError("broken"), NewConnectionError("host", "refused"), SSLError("bad record")]
)  # type: ignore[arg-type]
def test_no_kind_of_error_has_a_write_sent_again(method: str, error: Exception) -> None:
    with pytest.raises((MaxRetryError, ProtocolError)):
        ReadsOnly.policy().increment(method, "/x", error=error)


@pytest.mark.parametrize("method", WRITES)
def test_no_status_has_a_write_sent_again(method: str) -> None:
    policy = ReadsOnly.policy()
    assert not any(policy.is_retry(method, status, has_retry_after=True) for status in range(400, 600))


def test_a_read_is_sent_three_times_more() -> None:
    policy = ReadsOnly.policy()
    for _ in range(3):
        policy = policy.increment("GET", "/x", error=ProtocolError("broken"))
    with pytest.raises(MaxRetryError):
        policy.increment("GET", "/x", error=ProtocolError("broken"))


def test_a_rate_limit_is_never_slept_through() -> None:
    policy = ReadsOnly.policy()
    assert not any(policy.is_retry("GET", status, has_retry_after=True) for status in (403, 429))
