"""The only room that speaks LSP. ``server.py`` is the table of what is answered where; ``PROTOCOL.md`` the contract."""
