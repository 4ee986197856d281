"""Sidelight: a language server that answers from your own knowledge base or your own model."""

__version__ = "0.1.0"
