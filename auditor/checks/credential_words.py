"""What kinds of credentials are called in findings, and how a value is hinted at without being shown."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.evidence import Secret

UNSURE_KINDS = frozenset({"password", "api-key", "signing-key", "bearer-token", "basic-auth"})
"""Kinds that only the name or the place of a value tells."""

_WHAT = {
    "private-key": "A private key",
    "gcp-service-account": "The private key of a Google service account",
    "connection-string": "A password for a database or another server",
    "url-password": "A password inside an address",
    "jwt-service-role": "The service-role key of a Supabase project, which passes by every row policy,",
    "jwt": "A signed token",
    "password": "A password",
    "password-hash": "The password hash of a login, open to guessing,",
    "signing-key": "A signing or encryption key",
    "api-key": "A key for a service",
    "bearer-token": "A token in a request header",
    "basic-auth": "A user name with its password",
    "key-store": "A file that keeps private keys",
    "registry-login": "The login of a registry",
    "npm-token": "The login of an npm registry",
    "azure-signature": "A signed address of Azure",
    "wallet-words": "The words that restore a wallet",
    "kubernetes-secret": "A value of a Kubernetes secret (base64 hides nothing)",
}


def first_places(secrets: Iterable[Secret]) -> dict[int, Secret]:
    """Where each value stands first, by its number; the same value in another place is no second leak."""
    first: dict[int, Secret] = {}
    for secret in secrets:
        if secret.root:
            first.setdefault(secret.root, secret)
    return first


def same_as(secret: Secret, first: dict[int, Secret]) -> str:
    """A clause that names the first place of the value, with the space before it; "" in that place itself."""
    place = first.get(secret.root)
    return (
        ""
        if place is None or place is secret
        else f" It is the same value as in `{place.path}`, line {place.line}: one to replace, not two."
    )


def values_of(secrets: list[Secret]) -> int:
    """How many different values there are; what has no value known counts by itself."""
    return len({secret.root for secret in secrets if secret.root}) + sum(not secret.root for secret in secrets)


def size_of(secret: Secret) -> str:
    """Length and first characters of a value, in brackets; "" where they say nothing."""
    if not secret.length or secret.kind in {"private-key", "gcp-service-account"}:
        return ""
    begins = f", begins with {secret.prefix}" if secret.prefix else ""
    return f" ({secret.length} characters{begins})"


def name_of(secret: Secret) -> str:
    """The beginning of a sentence about the credential."""
    return _WHAT.get(secret.kind, f"A credential of the kind {secret.kind.replace('-', ' ')}")
