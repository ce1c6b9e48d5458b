"""What pip is told on this machine (its indexes, its certificates), said again in uv's words.

uv reads none of pip's settings, yet an association behind a mirror or a proxy has set pip only.
Prints `export NAME=value` lines for the shell that asks; what is set for uv already is left alone.
"""

import ast
import os
import shlex
import subprocess
import sys

INDEXES = {  # pip's setting -> uv's variable; uv takes several values split by spaces
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
}
PROXIED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def read_pip_settings(listing: str) -> dict[str, str]:
    """Return setting -> value from the lines of `pip config list`, the nearest file winning."""
    settings: dict[str, str] = {}
    for kind in ("global.", "install.", ":env:."):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(kind):
                settings[name.removeprefix(kind)] = str(ast.literal_eval(value))
    return settings


def in_words_of_uv(settings: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    """Return the variables that make uv look where pip looks and trust what pip trusts."""
    words = {
        INDEXES[name]: ",".join(value.split()) if name == "find-links" else " ".join(value.split())
        for name, value in settings.items()
        if name in INDEXES and value.strip()
    }
    if words:
        # pip takes the best match of all its indexes; the hashes keep a stranger's file out
        words["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    certificates = settings.get("cert") or environ.get("REQUESTS_CA_BUNDLE")
    if certificates and not environ.get("SSL_CERT_FILE"):
        words["SSL_CERT_FILE"] = certificates
    if settings.get("proxy") and not environ.get("HTTPS_PROXY"):
        words["HTTPS_PROXY"] = settings["proxy"]
    if any(environ.get(name) or words.get(name) for name in PROXIED):
        words["UV_SYSTEM_CERTS"] = "true"
    return {name: value for name, value in words.items() if name not in environ}


if __name__ == "__main__":
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    answer = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    for name, value in in_words_of_uv(read_pip_settings(answer), dict(os.environ)).items():
        print(f"export {name}={shlex.quote(value)}")
