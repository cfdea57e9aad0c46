"""A simulated fleet: devices that speak ONVIF, RTSP and HTTP on loopback, with a fault dial."""
