"""Serves ONVIF and the still picture of ipycam, a virtual camera of the package index; started by servers.py.

ipycam_server.py USER PASSWORD      prints the port it listens on

The camera's own start would listen on every network, join a multicast group and look for programs to stream with, so
its web server is put on loopback here. It tells its LAN address, as cameras behind address translation do.
"""

import socketserver
import sys
import threading
import time

import numpy as np
from ipycam import CameraConfig, IPCamera
from ipycam.http import IPCameraHTTPHandler

ELSEWHERE = "192.168.1.64"


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection, none of which outlives the program."""

    daemon_threads = True


def _film(camera: IPCamera) -> None:
    """A wall and a window before a sensor with its noise; four pictures a second."""
    random = np.random.default_rng(1)
    while True:
        picture = np.full((360, 640, 3), 110.0)
        picture[60:300, 100:500] = np.linspace(60, 190, 400)[None, :, None]
        camera.stream(np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8))
        time.sleep(0.25)


def main() -> None:
    """Serve until killed."""
    user, password = sys.argv[1:]
    config = CameraConfig(
        local_ip=ELSEWHERE, username=user, password=password, main_width=640, main_height=360, main_fps=15
    )
    camera = IPCamera(config)
    threading.Thread(target=_film, args=(camera,), daemon=True).start()
    IPCameraHTTPHandler.camera = camera
    with Server(("127.0.0.1", 0), IPCameraHTTPHandler) as server:
        config.onvif_port = server.server_address[1]
        print(config.onvif_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
