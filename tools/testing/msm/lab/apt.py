# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages for the guest, fetched with the host's apt but apart from the host's own state.

Mirror and keyring are the host's: nothing here names a server. An empty dpkg
status file makes apt resolve the whole closure of the wanted packages, for any
architecture and without root.
"""

import os

from lab import common
from lab.common import Failure, run, say

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

CONFIG = """\
Dir::State "{base}";
Dir::State::Lists "{base}/lists";
Dir::State::Status "{base}/status";
Dir::Cache "{base}/cache";
Dir::Etc::SourceList "{base}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "{arch}";
#clear APT::Architectures;
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
"""


def mirror():
    """The URI from which this machine gets Debian's main archive."""
    listing = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)",
                   "Created-By: Packages"]).stdout
    rows = [line.split("|") for line in listing.splitlines()]
    uris = [uri for origin, label, uri in rows if (origin, label) == ("Debian", "Debian")]
    if not uris:
        raise Failure("no Debian mirror is configured on this machine; run 'apt-get update' and look at /etc/apt/sources.list")
    return uris[0]


class Archive:
    """One suite of one architecture, with its private apt state in out/apt/."""

    def __init__(self, suite, arch):
        self.suite, self.arch = suite, arch
        self.base = common.OUT / "apt" / f"{suite}-{arch}"
        self.config = self.base / "apt.conf"

    def prepare(self):
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        if not os.path.exists(KEYRING):
            raise Failure(f"{KEYRING}: missing; install the package debian-archive-keyring")
        (self.base / "status").write_text("")
        (self.base / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {self.suite} main\n")
        self.config.write_text(CONFIG.format(base=self.base, arch=self.arch))

    def update(self):
        """Fetch the package list, strictly first; an expired Release file is accepted with a warning."""
        done = self._apt("update")
        if done.returncode and "expired" in done.stderr + done.stdout:
            say(f"warning: the mirror's Release file of {self.suite} is past its validity date; "
                "going on without the date check (signatures are still checked)")
            done = self._apt("-o", "Acquire::Check-Valid-Until=false", "update")
        if done.returncode or "Some index files failed" in done.stderr:
            raise Failure(f"cannot get the package list of {self.suite} (no network?): {_reason(done)}")

    def download(self, packages):
        """Fetch packages with all they depend on; return the .deb files."""
        archives = self.base / "cache" / "archives"
        listing = self._apt("install", "--print-uris", *packages)
        if listing.returncode:
            raise Failure(f"apt cannot find the guest's packages in {self.suite}: {_reason(listing)}")
        done = self._apt("install", "--download-only", *packages)
        if done.returncode:
            raise Failure(f"downloading the guest's packages failed (no network, no disk space?): {_reason(done)}")
        plan = self._apt("install", "--simulate", *packages).stdout
        names = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
        debs = sorted(path for path in archives.glob("*.deb") if path.name.split("_")[0] in names)
        if len(debs) < len(names):
            raise Failure(f"{archives}: {len(names)} packages wanted, {len(debs)} there; run 'make clean' and try again")
        return debs

    def _apt(self, *words):
        return run(["apt-get", "-q", "-c", self.config, *words], check=False, env=dict(os.environ, LC_ALL="C"))


def _reason(done):
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "Err:"))]
    return " / ".join(lines[:2]) or f"apt-get: exit status {done.returncode}"
