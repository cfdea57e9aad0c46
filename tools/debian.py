"""Fetches programs of the Debian archive into a folder: no root, and nothing of the system is touched.

The ordinary apt client does the work with a state and a cache of its own, so its sources, keys and proxies are
the system's, and every package is checked as always. Packages are unpacked, not installed: no scripts run, and programs
must be told where their libraries are (tests/servers.py does that).

    python tools/debian.py SET...     sets are listed in SETS; what is there already is left alone
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".tools" / "debian"
ROOT = HOME / "root"


@dataclass(frozen=True)
class PackageSet:
    """Packages that are fetched together."""

    packages: tuple[str, ...]
    dependencies: bool
    """Also fetch what the packages need and the system lacks; False for programs that are linked statically."""
    newer: tuple[str, ...] = ()
    """Packages that only newer releases have; older ones keep the same programs in the packages above."""


SETS = {
    "pip": PackageSet(("python3-pip-whl",), dependencies=False),
    # Their dependencies are the JavaScript of pages nobody looks at here.
    "prometheus": PackageSet(("prometheus", "prometheus-alertmanager"), dependencies=False, newer=("promtool",)),
    "gstreamer": PackageSet(
        (
            "python3-gi",
            "gir1.2-gst-rtsp-server-1.0",
            "gstreamer1.0-plugins-base",
            "gstreamer1.0-plugins-good",
            "gstreamer1.0-plugins-bad",
            "gstreamer1.0-plugins-ugly",
            "gstreamer1.0-libav",
        ),
        dependencies=True,
    ),
    "snmpd": PackageSet(("snmpd",), dependencies=True),
    "vlc": PackageSet(("vlc-bin", "vlc-plugin-base"), dependencies=True),
    "lighttpd": PackageSet(("lighttpd", "lighttpd-mod-openssl"), dependencies=True),
    "faketime": PackageSet(("faketime",), dependencies=True),
    # A small compiler with what it compiles against, for systems that have none.
    "tcc": PackageSet(("tcc", "libc6-dev", "linux-libc-dev"), dependencies=False),
    # For `make bench` alone, which compares with it.
    "ffmpeg": PackageSet(("ffmpeg",), dependencies=True),
    "blackbox": PackageSet(("prometheus-blackbox-exporter",), dependencies=False),
}

# Hooks of the system are for the system's packages: they would clear its cache or wake its desktop.
_HOOKS = ("APT::Update::Post-Invoke", "APT::Update::Pre-Invoke", "DPkg::Pre-I", "DPkg::Post-I")


class FetchError(Exception):
    """Packages could not be had; the message says why and what to do."""


def fetch(names: list[str]) -> None:
    """Make sure that the sets with these names are unpacked under ROOT."""
    missing = [name for name in names if not _is_current(name)]
    if not missing:
        return
    for program in ("apt-get", "apt-cache", "apt-config", "dpkg-deb"):
        if shutil.which(program) is None:
            raise FetchError(f"{program} is not on PATH: {_remedy(missing)}")
    apt = _Apt(HOME / "apt")
    apt.update()
    for name in missing:
        print(f"Fetching Debian packages: {', '.join(SETS[name].packages)}", flush=True)
        for package in apt.download(SETS[name]):
            _run(["dpkg-deb", "-x", str(package), str(ROOT)], name)
        _stamp(name).write_text(_fingerprint(name), encoding="utf-8")
    apt.clean()


def _is_current(name: str) -> bool:
    try:
        return _stamp(name).read_text(encoding="utf-8") == _fingerprint(name)
    except FileNotFoundError:
        return False


def _stamp(name: str) -> Path:
    return HOME / f"{name}.fetched"


def _fingerprint(name: str) -> str:
    """Name what a fetched set belongs to: its packages, and the release of the system whose libraries it goes with."""
    system = Path("/etc/os-release")
    text = repr(SETS[name]) + (system.read_text(encoding="utf-8") if system.exists() else "")
    return hashlib.sha256(text.encode()).hexdigest()


class _Apt:
    """The apt client with a state of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._archives = folder / "cache" / "archives"
        self._complaints = ""
        for part in ("state/lists/partial", "cache/archives/partial", "no-more-settings"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self._config = folder / "apt.conf"
        self._config.write_text(self._settings(folder), encoding="utf-8")

    @staticmethod
    def _settings(folder: Path) -> str:
        dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
        system = [line for line in dump.splitlines() if not line.startswith(_HOOKS)]
        own = {
            "Dir::State": folder / "state",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::State::extended_states": folder / "state" / "extended_states",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::archives": "archives/",
            # The system's settings are already in this file, less the hooks.
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": folder / "no-more-settings",
            "Debug::NoLocking": "true",
            # As root, apt would hand downloads to a user who may not write here.
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "APT::Get::Assume-Yes": "true",
            "Acquire::Languages": "none",
        }
        return "\n".join([*system, *(f'{key} "{value}";' for key, value in own.items())]) + "\n"

    def update(self) -> None:
        # A source that has nothing to do with us may be out of reach; whether what we need is there shows below.
        print("Reading the lists of Debian packages", flush=True)
        self._complaints = self._run("apt-get", "update", "-qq").stdout

    def download(self, wanted: PackageSet) -> list[Path]:
        for left in self._archives.glob("*.deb"):
            left.unlink()
        how = ["install", "--download-only"] if wanted.dependencies else ["download"]
        newer = [name for name in wanted.newer if name in self._run("apt-cache", "pkgnames", name).stdout.split()]
        result = self._run("apt-get", *how, "-qq", *wanted.packages, *newer)
        if result.returncode != 0:
            complaints = (self._complaints + result.stdout).strip()
            raise FetchError(f"apt-get failed:\n{complaints}\n{_remedy_of(wanted)}")
        return sorted(self._archives.glob("*.deb"))

    def clean(self) -> None:
        """Drop the archives, which are unpacked, and the lists, which go stale."""
        shutil.rmtree(self._archives)
        shutil.rmtree(self._archives.parent.parent / "state" / "lists")

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            check=False,
            cwd=self._archives,
            env={**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _run(command: list[str], name: str) -> None:
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise FetchError(f"{' '.join(command)} failed:\n{result.stdout.strip()}\n{_remedy([name])}")


def _remedy(names: list[str]) -> str:
    return "\n".join(_remedy_of(SETS[name]) for name in names)


def _remedy_of(wanted: PackageSet) -> str:
    return (
        "Check that apt reaches its archive (`apt-get update`), or install these Debian packages yourself: "
        + " ".join(wanted.packages)
    )


if __name__ == "__main__":
    try:
        fetch(sys.argv[1:])
    except FetchError as error:
        sys.exit(f"tools/debian.py: {error}")
