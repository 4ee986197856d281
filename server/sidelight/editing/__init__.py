"""Text algorithms on plain strings and places; knows no LSP and no provider."""
