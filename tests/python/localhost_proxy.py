"""A proxy on loopback that knows every name below localhost.

Clients in Go ask the system for `bucket.oss-sandbox.localhost`, and glibc does not know it. The
environment gives them this proxy (HTTP_PROXY, HTTPS_PROXY) instead of a changed system: it only
carries bytes to 127.0.0.1, https unread through CONNECT, and refuses any other host.
"""

import contextlib
import socket
import socketserver
import threading
from urllib.parse import urlsplit

HEAD_LIMIT = 64 * 1024
SECONDS = 60


class Tunnel(socketserver.BaseRequestHandler):
    """One request: the connection closes behind its answer."""

    def handle(self):
        self.request.settimeout(SECONDS)
        read = b""
        while b"\r\n\r\n" not in read:
            more = self.request.recv(HEAD_LIMIT)
            if not more or len(read) > HEAD_LIMIT:
                return
            read += more
        head, body = read.split(b"\r\n\r\n", 1)
        first, *headers = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if not (url.hostname or "").endswith(".localhost") or url.port is None:
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", url.port), SECONDS) as server:
            if method == "CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                # as it stands behind the host: urlsplit would lose an empty query's mark
                path = target.split("//", 1)[1]
                path = path[path.index("/") :] if "/" in path else "/"
                named = ("connection:", "proxy-connection:")
                headers = [line for line in headers if not line.lower().startswith(named)]
                lines = [f"{method} {path} {version}", *headers, "Connection: close", "", ""]
                server.sendall("\r\n".join(lines).encode("latin-1"))
            server.sendall(body)
            back = threading.Thread(target=carry, args=(server, self.request), daemon=True)
            back.start()
            carry(self.request, server)
            back.join(SECONDS)


def carry(source, target):
    """All bytes, then the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(256 * 1024):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def localhost_proxy():
    """Gives the proxy's URL."""
    with Server(("127.0.0.1", 0), Tunnel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
