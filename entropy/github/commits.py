"""Commits that the forge makes itself, and therefore signs: it shows them as verified."""

import base64
from collections.abc import Mapping

from entropy.errors import ForgeConflict, ForgeRefused
from entropy.github.connection import Connection

CREATE_COMMIT = """
mutation CreateCommitOnBranch($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}
"""


class Commits:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, repository: str, branch: str, *, at: str) -> None:
        """A branch at a commit; fine if there is one of this name, for what it holds is seen when it is written to."""
        body = {"ref": f"refs/heads/{branch}", "sha": at}
        try:
            self._connection.write(
                "POST", f"/repos/{repository}/git/refs", body, target=f"{repository}:{branch}", action="begin"
            )
        except ForgeConflict:
            return

    def create(
        self, repository: str, branch: str, *, parent: str, message: str, files: Mapping[str, bytes | None]
    ) -> str:
        """The id of a commit of these files, None to delete one; ForgeConflict when the branch is not at `parent`."""
        title, _, text = message.partition("\n")
        wanted = {
            "branch": {"repositoryNameWithOwner": repository, "branchName": branch},
            "expectedHeadOid": parent,
            "message": {"headline": title, "body": text.strip()},
            "fileChanges": {
                "additions": [
                    {"path": path, "contents": base64.b64encode(content).decode()}
                    for path, content in files.items()
                    if content is not None
                ],
                "deletions": [{"path": path} for path, content in files.items() if content is None],
            },
        }
        tried = f"commit to {repository}:{branch}"
        try:
            data = self._connection.graphql(
                CREATE_COMMIT, {"input": wanted}, name="CreateCommitOnBranch", tried=tried, within=repository
            )
        except ForgeRefused as refusal:
            if "STALE_DATA" in str(refusal):
                raise ForgeConflict(str(refusal)) from refusal
            raise
        if not data.get("createCommitOnBranch"):
            raise ForgeConflict(f"Could not {tried}: the branch is gone.")
        return str(data["createCommitOnBranch"]["commit"]["oid"])
