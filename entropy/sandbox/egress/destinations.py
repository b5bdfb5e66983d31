"""Where a host's name may lead: to global addresses and to networks that the operator named, by one look-up."""

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text; raises `OSError` where there are none."""

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?:{LABEL}\.)*(?![0-9]){LABEL}")
"""No name of ours ends in a label that begins with a digit; each notation of an address does, or has colons."""
LONGEST = 253
NEVER = tuple(ip_network(text) for text in ("0.0.0.0/8", "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8"))
"""Not even where the operator names a network around them: cloud metadata is here."""
UNICAST = IPv6Network("2000::/3")
MOST = 8


def is_name(text: str) -> bool:
    """Whether this is a host's name in lower case, in its one spelling, and not an address."""
    return len(text) <= LONGEST and NAME.fullmatch(text) is not None


def resolved(host: str, port: int) -> Sequence[str]:
    """What this machine's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _plain(text: str) -> Address:
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def is_global(address: Address) -> bool:
    """Whether this is an address of the public Internet; forms that carry another address inside are not."""
    if isinstance(address, IPv6Address):
        return address in UNICAST and address.is_global and address.sixtofour is None
    return address.is_global and not address.is_multicast and not address.is_reserved


class Destinations:
    """Finds the addresses of hosts and refuses those that lead inside."""

    def __init__(self, networks: Iterable[Network], *, resolve: Resolve) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve

    def find(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to connect to, and no others; raises `Denied`. One that is not served spoils them all."""
        try:
            found = [_plain(text) for text in self._resolve(host, port)]
        except (OSError, ValueError, UnicodeError):
            raise Denied(EgressVerdict.UNRESOLVED) from None
        if not found:
            raise Denied(EgressVerdict.UNRESOLVED)
        if not all(self._serves(address) for address in found):
            raise Denied(EgressVerdict.NOT_GLOBAL)
        return tuple(str(address) for address in found[:MOST])

    def _serves(self, address: Address) -> bool:
        if any(address in network for network in NEVER):
            return False
        return is_global(address) or any(address in network for network in self._networks)
