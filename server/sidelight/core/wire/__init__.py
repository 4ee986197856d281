"""Bytes to events: decoders that are fed with any cut of bytes and never touch a socket."""
