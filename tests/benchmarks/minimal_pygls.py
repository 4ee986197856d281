"""The smallest server that can be made with pygls: what starting and memory are compared with."""

from pygls.lsp.server import LanguageServer

if __name__ == "__main__":
    LanguageServer("minimal", "1").start_io()
