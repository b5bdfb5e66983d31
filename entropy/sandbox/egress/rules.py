"""Who may be asked in which phase, for one worker."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from entropy.errors import ConfigurationError
from entropy.models import Noun
from entropy.sandbox.egress.bounds import Bounds
from entropy.sandbox.egress.destinations import is_name
from entropy.sandbox.egress.dialects import Model, read_model
from entropy.sandbox.egress.verdicts import Phase
from entropy.settings import EgressSettings

MIB = 1024 * 1024


class Rules(Noun):
    """The operator's word on egress."""

    hosts: dict[Phase, frozenset[str]]
    """To which tunnels may be opened."""
    models: tuple[Model, ...]
    """To which requests may be handed in the agent phase, where each is given its key."""
    ports: frozenset[int]
    networks: tuple[IPv4Network | IPv6Network, ...]
    bounds: Bounds

    @classmethod
    def of(cls, settings: EgressSettings, *, indexes: Sequence[str] = ()) -> Self:
        """From settings and the hosts of the package indexes; raises `ConfigurationError`."""
        setup, agent = (_names(names) for names in ((*settings.setup_hosts, *indexes), settings.agent_hosts))
        return cls(
            hosts={Phase.SETUP: setup, Phase.AGENT: agent},
            models=tuple(read_model(name, url) for name, url in settings.models.items()),
            ports=frozenset(settings.ports),
            networks=tuple(_network(text) for text in settings.networks),
            bounds=Bounds(
                connections=settings.connections,
                requests=settings.requests,
                sent=settings.upload_mib * MIB,
                received=settings.download_mib * MIB,
                idle=settings.idle,
                whole=settings.timeout,
            ),
        )

    def leads_out(self, phase: Phase) -> bool:
        """Whether there is anything that this phase may ask."""
        return bool(self.hosts.get(phase)) or (phase is Phase.AGENT and bool(self.models))

    def model(self, name: str, phase: Phase) -> Model | None:
        offered = self.models if phase is Phase.AGENT else ()
        return next((model for model in offered if model.name == name), None)


def _names(texts: Sequence[str]) -> frozenset[str]:
    names = frozenset(text.lower() for text in texts)
    for name in names:
        if not is_name(name):
            raise ConfigurationError(f"{name!r} cannot be a host of a sandbox's egress; write the name of one host.")
    return names


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ConfigurationError(
            f"ENTROPY_SANDBOX__EGRESS__NETWORKS names {text}, which is not a network; write it as 10.1.0.0/16."
        ) from None
