"""Values and rules: what a task asks, what an answer is. No LSP, no sockets, no files."""
