import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TARGET = os.environ.get("TARGET", "World")


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"Hello {TARGET}!\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    # server_close() then waits for the requests that are running.
    daemon_threads = False


def main():
    port = int(os.environ.get("PORT", "8080"))
    server = Server(("", port), Hello)

    # shutdown() must not be called on the thread that serves.
    def stop(*_):
        print("SIGTERM: finishing", flush=True)
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    print(f"Listening on port {port}", flush=True)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
