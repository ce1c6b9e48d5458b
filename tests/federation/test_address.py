"""Addresses: where a partner may live, and the one form in which its node is named."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from federation.adapters.http import HttpLink
from federation.adapters.http.address import is_allowed, read_origin
from federation.errors import RemoteProtocolError


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:192.168.1.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "198.51.100.1", "192.0.2.1", "::7f00:1",
        "::ffff:0:7f00:1", "64:ff9b:1::a00:1", "2001:0:7f00:1::", "fec0::1", "192.0.0.8",
        "192.88.99.1", "3fff::1", "5f00::1", "100::1", "2001:db8::1", "240.0.0.1", "0.1.2.3",
    ],
)  # fmt: skip
def test_addresses_of_a_house_are_not_the_internet(text):
    assert not is_allowed(ip_address(text), lan=False)


@pytest.mark.parametrize("text", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"])
def test_addresses_of_nobody_are_never_allowed(text):
    assert not is_allowed(ip_address(text), lan=True)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "192.168.1.1", "fd00::1", "fe80::1", "1.1.1.1", "100.64.0.1"]
)
def test_our_own_network_is_open_to_a_partner_marked_so(text):
    assert is_allowed(ip_address(text), lan=True)


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_the_internet_is_open_to_every_partner(text):
    assert is_allowed(ip_address(text), lan=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "quimper.bzh", "ftp://quimper.bzh", "file:///etc/passwd", "http://", "http://a:b@c",
        "http://quimper.bzh/path", "http://quimper.bzh?x=1", "http://quimper.bzh#x",
        "http://quimper.bzh:99999", "http://[::1", "gopher://quimper.bzh",
    ],
)  # fmt: skip
def test_an_address_is_a_scheme_a_host_and_a_port(url):
    with pytest.raises(RemoteProtocolError) as caught:
        HttpLink(url)
    assert caught.value.code == "bad_address"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://Quimper.bzh/", "http://quimper.bzh"),
        ("https://quimper.bzh:443", "https://quimper.bzh"),
        ("http://quimper.bzh:8002", "http://quimper.bzh:8002"),
        ("http://[::1]:8002", "http://[::1]:8002"),
    ],
)
def test_an_address_has_one_form(url, text):
    assert str(read_origin(url)) == text
