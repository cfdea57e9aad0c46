"""What simulated devices answer about how they are set up: network, time, name, events and imaging."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from camera_registry.simulator.question import Asked

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
IMAGING = "http://www.onvif.org/ver20/imaging/wsdl"
DEVICE_IO = "http://www.onvif.org/ver10/deviceIO/wsdl"

NAME_SERVER, TIME_SERVER = "192.168.1.1", "ntp.example.net"


def _hostname(asked: Asked) -> str:
    return (
        "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>"
        f"<tt:Name>{asked.device.member.id}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>"
    )


def _interfaces(asked: Asked) -> str:
    device = asked.device.member.device
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
        f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{device.mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual>"
        f"<tt:Address>{asked.host}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP>"
        "</tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def _dns(asked: Asked) -> str:
    return (
        "<tds:GetDNSResponse><tds:DNSInformation><tt:FromDHCP>false</tt:FromDHCP><tt:DNSManual><tt:Type>IPv4</tt:Type>"
        f"<tt:IPv4Address>{NAME_SERVER}</tt:IPv4Address></tt:DNSManual></tds:DNSInformation></tds:GetDNSResponse>"
    )


def _ntp(asked: Asked) -> str:
    return (
        "<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP><tt:NTPManual><tt:Type>DNS</tt:Type>"
        f"<tt:DNSname>{TIME_SERVER}</tt:DNSname></tt:NTPManual></tds:NTPInformation></tds:GetNTPResponse>"
    )


def _event_capabilities(asked: Asked) -> str:
    return (
        '<tev:GetServiceCapabilitiesResponse><tev:Capabilities WSSubscriptionPolicySupport="false" '
        'WSPullPointSupport="true" WSPausableSubscriptionManagerInterfaceSupport="false" MaxNotificationProducers="4" '
        'MaxPullPoints="4" PersistentNotificationStorage="false"/></tev:GetServiceCapabilitiesResponse>'
    )


def _imaging_settings(asked: Asked) -> str:
    return (
        "<timg:GetImagingSettingsResponse><timg:ImagingSettings><tt:Brightness>50</tt:Brightness>"
        "<tt:ColorSaturation>50</tt:ColorSaturation><tt:Contrast>50</tt:Contrast><tt:Exposure><tt:Mode>AUTO</tt:Mode>"
        "</tt:Exposure><tt:IrCutFilter>AUTO</tt:IrCutFilter><tt:Sharpness>50</tt:Sharpness></timg:ImagingSettings>"
        "</timg:GetImagingSettingsResponse>"
    )


def _imaging_status(asked: Asked) -> str:
    return (
        "<timg:GetStatusResponse><timg:Status><tt:FocusStatus20><tt:Position>0</tt:Position>"
        "<tt:MoveStatus>IDLE</tt:MoveStatus></tt:FocusStatus20></timg:Status></timg:GetStatusResponse>"
    )


ANSWERS: Mapping[tuple[str, str], Callable[[Asked], str]] = {
    (DEVICE, "GetHostname"): _hostname,
    (DEVICE, "GetNetworkInterfaces"): _interfaces,
    (DEVICE, "GetDNS"): _dns,
    (DEVICE, "GetNTP"): _ntp,
    (EVENTS, "GetServiceCapabilities"): _event_capabilities,
    (IMAGING, "GetImagingSettings"): _imaging_settings,
    (IMAGING, "GetStatus"): _imaging_status,
}
SERVICES = (
    (EVENTS, "/onvif/event_service"),
    (IMAGING, "/onvif/imaging_service"),
    (DEVICE_IO, "/onvif/deviceio_service"),
)
