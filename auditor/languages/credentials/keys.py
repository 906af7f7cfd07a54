"""Private keys: blocks in PEM armour, the same in base 64, PuTTY's files, static keys of OpenVPN, JSON web keys, the words of a wallet."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice

from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import entropy, is_placeholder

_PEM = re.compile(
    r"-----BEGIN ((?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP |SSH2 ENCRYPTED )?PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----"
)
_PEM_HEADER = re.compile(r"\s*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n]{0,200}\n\s*)*+")
_PEM_LINE = re.compile(r"[\s\"'`+,;.\\#*/|>-]{0,80}+(?:[A-Za-z0-9+/=]{16,})")
"""One line of the body with what a language puts round the pieces of a text (quotes, plus signs, line ends, comment marks)."""
_LONGEST_PEM = 12_000
_BLOCKS = 500
_ENCODED_PEM = re.compile(r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/]{100,12000}={0,2}")
"""Base 64 of "-----BEGIN ", as in the client keys of a cluster's settings or a key in one variable."""
_PUTTY = re.compile(
    r"PuTTY-User-Key-File-\d: [^\n]{3,60}\n(?:[^\n]{0,300}\n){1,80}?Private-Lines: \d{1,3}\n(?:[A-Za-z0-9+/=]{1,76}\n?){2,200}"
)
_WEB_KEY = re.compile(r"\"d\"\s*:\s*\"([A-Za-z0-9_-]{40,700})\"")
_LOCKED_WALLET = re.compile(r"\"ciphertext\"\s*:\s*\"([0-9a-f]{64,200})\"")
_WALLET = re.compile(
    r"(?:mnemonic|seed[_ -]?phrase|recovery[_ -]?phrase)\w{0,20}[\"']?\s{0,3}[:=]\s{0,3}[\"']?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})(?![a-z ])",
    re.IGNORECASE,
)
_KNOWN_WALLETS = (
    "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat",
    "myth like bonus scare over problem client lizard",
)
"""Words that the tools for test chains put into every installation."""


def key_matches(text: str) -> Iterator[Match]:
    """Every private key with its material; a service account's file is told by its neighbouring entries."""
    if "-----BEGIN " in text:
        for found in islice(_PEM.finditer(text), _BLOCKS):
            yield from _block(text, found)
    if "LS0tLS1CRUdJTi" in text:
        yield from _encoded_blocks(text)
    if "PuTTY-User-Key-File-" in text:
        for found in islice(_PUTTY.finditer(text), _BLOCKS):
            locked = "Encryption: none" not in found[0]
            reason = "it is a PuTTY private key, locked with a pass phrase" if locked else "it is a complete PuTTY private key"
            yield Match("private-key", found.start(), found.end(), found[0], Strength.FORMAT, reason, local=locked, signing=True)
    if '"kty"' in text:
        for found in islice(_WEB_KEY.finditer(text), _BLOCKS):
            if '"kty"' in text[max(0, found.start() - 3_000) : found.end() + 3_000] and entropy(found[1]) > 4.0:
                reason = "it is the private part of a JSON web key"
                yield Match("private-key", found.start(1), found.end(1), found[1], Strength.FORMAT, reason, signing=True)
    if '"ciphertext"' in text:
        yield from _locked_wallets(text)
    if any(word in text for word in ("nemonic", "NEMONIC", "phrase", "PHRASE", "Phrase")):
        yield from _wallets(text)


def _locked_wallets(text: str) -> Iterator[Match]:
    """Key files of Ethereum: encrypted, so that the pass phrase is all that is left between a reader and the money."""
    for found in islice(_LOCKED_WALLET.finditer(text), _BLOCKS):
        if '"kdf' in text and entropy(found[1]) > 3.0:
            reason = "it is the key of a wallet, locked with a pass phrase"
            yield Match("private-key", found.start(1), found.end(1), found[1], Strength.FORMAT, reason, local=True)


def _block(text: str, found: re.Match[str]) -> Iterator[Match]:
    body = text[found.end() : found.end() + _LONGEST_PEM]
    end = body.find("-----END")
    body = body[:end] if end >= 0 else body[:4_000]
    material = _material(body)
    static = found[1].startswith("OpenVPN")
    if len(material) < 90 or entropy(material) < (3.0 if static else 4.0):
        return
    around = text[max(0, found.start() - 600) : found.start()]
    service = '"service_account"' in around or '"private_key_id"' in around
    encrypted = "ENCRYPTED" in found[1] or "ENCRYPTED" in body[:200]
    reason = "it is the private key of a Google service account" if service else "it is a complete private key block"
    if encrypted:
        reason = "it is a private key, locked with a pass phrase"
    strength = Strength.PROVEN if service else Strength.FORMAT
    stop = found.end() + len(body)
    kind = "gcp-service-account" if service else "private-key"
    yield Match(kind, found.start(), stop, text[found.start() : stop], strength, reason, local=encrypted, signing=not service)


def _material(body: str) -> str:
    """The encoded lines that follow the head of a key block without anything between; a placeholder or a search text has none."""
    body = body.replace("\\n", "\n").replace("\\r", "")
    position = _PEM_HEADER.match(body)
    lines, at = [], position.end() if position else 0
    while line := _PEM_LINE.match(body, at):
        lines.append(line[0].strip(" \t\r\n\"'`+,;.\\#*|>-"))
        at = line.end()
    return "".join(lines)


def _encoded_blocks(text: str) -> Iterator[Match]:
    for found in islice(_ENCODED_PEM.finditer(text), _BLOCKS):
        try:
            block = base64.b64decode(found[0] + "=" * (-len(found[0]) % 4)).decode("ascii", "replace")
        except (binascii.Error, ValueError):
            continue
        head = _PEM.match(block)
        for match in _block(block, head) if head else ():
            reason = match.reason.replace("a complete private key block", "a complete private key block in base 64")
            yield Match(match.kind, found.start(), found.end(), found[0], match.strength, reason, local=match.local, signing=match.signing)


def _wallets(text: str) -> Iterator[Match]:
    for found in islice(_WALLET.finditer(text), _BLOCKS):
        words = found[1].split()
        whole = len(words) in {12, 15, 18, 21, 24} and len(set(words)) * 4 >= len(words) * 3
        if whole and not is_placeholder(found[1]) and not found[1].startswith(_KNOWN_WALLETS):
            reason = "it is the list of words that a wallet is restored from"
            yield Match("wallet-words", found.start(1), found.end(1), found[1], Strength.NAMED, reason)
