"""Whom agents obey and hear: people who may write to the repository now, our own roles, and bots that are allowed."""

from entropy.wiring import Toolbox

BOT = "[bot]"
"""How the logins of Apps end; no person's can."""


def is_ours(login: str, tools: Toolbox) -> bool:
    return login.casefold() in tools.logins()


def is_allowed_bot(login: str, tools: Toolbox) -> bool:
    return login.casefold() in {bot.casefold() for bot in tools.settings.trust.bots}


def may_command(login: str, repository: str, role: str, tools: Toolbox) -> bool:
    """Whether somebody has a say in a repository; remembered for a minute. `role` asks the forge."""
    if is_ours(login, tools) or is_allowed_bot(login, tools):
        return True
    if login.endswith(BOT):
        return False
    known = tools.people.permission(repository, login)
    return known if known is not None else may_write(login, repository, role, tools)


def may_write(login: str, repository: str, role: str, tools: Toolbox) -> bool:
    """Whether the forge says now that somebody may write to a repository."""
    allowed = tools.github(role).trust.permission(repository, login).may_write
    tools.people.remember(repository, login, may_write=allowed)
    return allowed
