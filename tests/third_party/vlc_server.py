"""Serves a video file over RTSP with VLC's own server, which sends RTP over UDP only; started by servers.py.

vlc_server.py FILE PORT USER PASSWORD      serves rtsp://127.0.0.1:PORT/city again and again

The password may be empty. The program `vlc` refuses to run as root, and tests run as anybody: its library, which is all
of it but the windows, does not mind.
"""

import ctypes
import sys
import threading


def main() -> None:
    """Serve until killed."""
    file, port, user, password = sys.argv[1:]
    options = ["--intf=dummy", "--no-audio", "--no-plugins-cache", "--rtsp-host=127.0.0.1", f"--rtsp-port={port}"]
    if password:
        options += [f"--sout-rtsp-user={user}", f"--sout-rtsp-pwd={password}"]
    vlc = ctypes.CDLL("libvlc.so.5")
    for make in (vlc.libvlc_new, vlc.libvlc_media_new_path, vlc.libvlc_media_player_new_from_media):
        make.restype = ctypes.c_void_p
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    library = ctypes.c_void_p(vlc.libvlc_new(len(options), given))
    media = ctypes.c_void_p(vlc.libvlc_media_new_path(library, file.encode()))
    for option in (":sout=#rtp{sdp=rtsp:///city}", ":sout-keep", ":input-repeat=65535"):
        vlc.libvlc_media_add_option(media, option.encode())
    player = ctypes.c_void_p(vlc.libvlc_media_player_new_from_media(media))
    if vlc.libvlc_media_player_play(player):
        sys.exit("VLC can't play this file")
    threading.Event().wait()


if __name__ == "__main__":
    main()
