"""Render, lint and validate the chart; run by the Python of .tools/deploy, values in and findings out as JSON."""

import json
import sys
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

KUBERNETES = ("1.29.0", "1.34.0")
SINCE_1_30 = "ValidatingAdmissionPolicy"


def rendered(chart: Path, values: dict[str, object]) -> tuple[list[dict[str, object]], str]:
    """The documents, and what the chart tells whoever installs it."""
    texts = helm_python.Chart.load(chart).render(values, name="entropy", namespace="agents")
    notes = [texts.pop(name) for name in list(texts) if name.endswith("NOTES.txt")]
    return [document for text in texts.values() for document in yaml.safe_load_all(text) if document], "".join(notes)


def invalid(found: list[dict[str, object]]) -> list[str]:
    complaints = []
    for document in found:
        for version in KUBERNETES[1:] if str(document["kind"]).startswith(SINCE_1_30) else KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                complaints.append(f"{document['kind']}/{document['metadata']['name']} v{version}: {error.message}")
    return complaints


def check(chart: Path, values: dict[str, object]) -> dict[str, object]:
    try:
        found, notes = rendered(chart, values)
    except helm_python.HelmError as error:
        return {"error": str(error)}
    lint = helm_python.lint(chart, values=values, strict=True)
    return {"documents": found, "notes": notes, "invalid": invalid(found), "lint": lint["messages"] + lint["errors"]}


if __name__ == "__main__":
    json.dump(check(Path(sys.argv[1]), json.load(sys.stdin)), sys.stdout)
