"""Serves test pictures over RTSP with GStreamer, behind a password; run by the Python that servers.py names.

gstreamer_server.py USER PASSWORD METHOD SESSIONS

METHOD is digest or basic; SESSIONS how many there may be at once, 0 for any number. Prints the port it listens on, then
serves rtsp://127.0.0.1:PORT/stream
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - the versions must be said first

SOURCE = "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=10/1"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96"
STREAMS = {
    "/stream": (H264, None),
    "/udp": (H264, GstRtsp.RTSPLowerTrans.UDP),
    "/h265": ("x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph265pay name=pay0 pt=96", None),
    "/jpeg": ("videoconvert ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0", None),
}


def main() -> None:
    """Serve until killed."""
    user, password, method, sessions = sys.argv[1:]
    Gst.init(None)

    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    if method == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)

    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    server.set_auth(auth)
    server.get_session_pool().set_max_sessions(int(sessions))
    for path, (encoder, transport) in STREAMS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {SOURCE} ! {encoder} )")
        # One pipeline a client: a shared one answers 503 to whoever comes while it is taken down behind the last.
        factory.set_shared(False)
        factory.set_permissions(permissions)
        if transport is not None:
            factory.set_protocols(transport)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
