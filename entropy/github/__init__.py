"""The only speaker to GitHub: nouns in, nouns out, and every foreign error translated at this door."""

from entropy.github.client import GitHub
from entropy.github.discovery import Candidate
from entropy.github.facts import RepositoryFacts

__all__ = ["Candidate", "GitHub", "RepositoryFacts"]
