"""A real OpenBao of the demo's own: it holds the tokens, and gives each role its own when that role logs in."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from entropy.cli.demo.environment import Environment
from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.people import write_tokens
from entropy.cli.demo.processes import Children
from entropy.cli.demo.redis_server import free_port
from entropy.cli.demo.servers import Address, wait_for
from entropy.settings import inherited

OPS = Path(__file__).resolve().parents[3] / "ops"

# In memory: what it holds never reaches the disk, and ends with it.
CONFIGURATION = """\
storage "inmem" {{}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr      = "{url}"
disable_mlock = true
"""


def start(children: Children) -> Address:
    """Start it, sealed and empty; `fill` does the rest."""
    vault = Address(free_port())
    place = children.folder / "vault"
    place.mkdir(mode=0o700)
    configuration = place / "vault.hcl"
    configuration.write_text(CONFIGURATION.format(port=vault.port, url=vault.url))
    environment = {**inherited("PATH", "LANG"), "HOME": str(children.folder / "home")}
    children.start("vault", [str(_bao()), "server", f"-config={configuration}"], environment=environment)
    return vault


def fill(children: Children, vault: Address, tokens: Mapping[str, str]) -> Environment:
    """Put the roles' tokens in; what comes back tells the control side how to log in as each role."""
    wait_for(children, vault, what="OpenBao")
    place = children.folder / "vault"
    write_tokens(place / "tokens", tokens)
    argv = [sys.executable, str(OPS / "vault" / "bootstrap"), "--address", vault.url, "--token-file", "-"]
    argv += ["--approle-directory", str(place / "approles"), "--secrets", str(place / "tokens")]
    done = subprocess.run(argv, input=_administrator(vault), capture_output=True, text=True, check=False)
    shutil.rmtree(place / "tokens")
    if done.returncode != 0:
        raise DemoFailed(f"The tokens could not be put into OpenBao: {done.stderr.strip()}")
    return {
        "ENTROPY_SECRETS__PROVIDER": "vault",
        "ENTROPY_SECRETS__VAULT__ADDRESS": vault.url,
        "ENTROPY_SECRETS__VAULT__APPROLE_DIRECTORY": str(place / "approles"),
    }


def _administrator(vault: Address) -> str:
    """Initialise and unseal; the administrator's token is kept in memory, for as long as the tokens are put in."""
    import hvac

    client = hvac.Client(url=vault.url, token="", timeout=15)
    keys = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.sys.submit_unseal_key(keys["keys"][0])
    client.adapter.close()
    return str(keys["root_token"])


def _bao() -> Path:
    if not (OPS / "tools").exists():
        raise DemoFailed("--vault takes OpenBao from the repository's tools; run ops/demo --vault in a clone.")
    made = subprocess.run([sys.executable, OPS / "tools", "vault"], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        raise DemoFailed("OpenBao could not be installed; the reason stands above.")
    return Path(made.stdout.strip()) / "bin" / "bao"
