"""Compares what `gateway` signs and verifies with other implementations.

Usage: differential.py GATEWAY [SEED]

A Heymarket token has to equal, byte for byte, the one that the vendor's documented Python example
makes, for random secrets and times. PyJWT has to verify it, the tokens of the other commands, and
`gateway verify` has to verify PyJWT's.
"""

import base64
import hashlib
import hmac
import json
import os
import random
import string
import subprocess
import sys
import uuid

import jwt

ROUNDS = 40
TIMES = [0, 9, 10, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 1713225600, 2**53 - 1]
NO_CLOCK = {"verify_exp": False, "verify_iat": False}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def documented(secret_id, secret_key, iat):
    """The vendor's example, with the time passed in."""
    header = b64(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    payload = b64(json.dumps({"iss": secret_id, "iat": iat}, separators=(",", ":")).encode())

    signing_input = header + b"." + payload
    signing_secret = f"{secret_id}||{secret_key}".encode()
    signature = b64(hmac.new(signing_secret, signing_input, hashlib.sha256).digest())

    return (signing_input + b"." + signature).decode()


def gateway(program, arguments, secrets, text=None):
    """Runs the program with nothing in its environment but the secrets."""
    done = subprocess.run(
        [program, *arguments], env=secrets, input=text, capture_output=True, text=True
    )
    return done.returncode, done.stdout.removesuffix("\n"), done.stderr


def signed(program, arguments, secrets, text=None):
    code, token, complaint = gateway(program, ["sign", *arguments], secrets, text)
    assert code == 0, f"gateway sign {arguments} ended with {code}: {complaint}"
    return token


def alphanumeric(choose, length):
    return "".join(choose.choices(string.ascii_letters + string.digits, k=length))


def any_text(choose):
    pieces = ["a", '"', "\\", "\n", "\x00", "\x1f", "/", "é", "\u2028", "😀", "\uffff", "漢"]
    return "".join(choose.choices(pieces, k=choose.randrange(12)))


def heymarket(program, choose, iat):
    secret_id = str(uuid.UUID(int=choose.getrandbits(128)))
    secret_key = alphanumeric(choose, choose.randrange(24, 65))
    secrets = {"HEYMARKET_SECRET_ID": secret_id, "HEYMARKET_SECRET_KEY": secret_key}
    token = signed(program, ["--api", "heymarket", "--iat", str(iat)], secrets)
    expected = documented(secret_id, secret_key, iat)
    assert token == expected, f"{token}\n  differs from the documented\n{expected}"
    key = f"{secret_id}||{secret_key}"
    claims = jwt.decode(token, key, algorithms=["HS256"], options=NO_CLOCK)
    assert claims == {"iss": secret_id, "iat": iat}, claims
    return token, key


def key_id(program, choose, exp):
    kid = str(uuid.UUID(int=choose.getrandbits(128)))
    key = alphanumeric(choose, choose.randrange(32, 100))
    secrets = {"KEY_ID_JWT_KID": kid, "KEY_ID_JWT_SECRET": key}
    token = signed(program, ["--api", "key-id", "--exp", str(exp)], secrets)
    claims = jwt.decode(token, key, algorithms=["HS256"], options=NO_CLOCK)
    assert claims == {"exp": exp}, claims
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": kid, "typ": "JWT"}


def any_claims(program, choose):
    key = alphanumeric(choose, choose.randrange(32, 100))
    claims = {
        "sub": any_text(choose),
        "list": [choose.randrange(-(2**63), 2**63), None, True, {any_text(choose): {}}],
        any_text(choose): any_text(choose),
    }
    token = signed(program, ["--claims", "-"], {"JWT_KEY": key}, json.dumps(claims))
    read = jwt.decode(token, key, algorithms=["HS256"], options=NO_CLOCK)
    assert read == claims, f"{read}\n  differs from\n{claims}"

    theirs = jwt.encode(claims, key, algorithm="HS256")
    code, _, complaint = gateway(program, ["verify", "-"], {"JWT_KEY": key}, theirs)
    assert code == 0, f"gateway verify refuses PyJWT's token: {complaint}"
    other = {"JWT_KEY": key[::-1] + "x"}
    code, _, _ = gateway(program, ["verify", "-"], other, theirs)
    assert code == 1, f"gateway verify ended with {code} under another key"


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4))
    print(f"seed {seed}", flush=True)
    choose = random.Random(seed)
    for seconds in TIMES + [choose.randrange(2**choose.randrange(1, 54)) for _ in range(ROUNDS)]:
        token, key = heymarket(program, choose, seconds)
        key_id(program, choose, seconds)
        any_claims(program, choose)
    try:
        jwt.decode(token, key + "x", algorithms=["HS256"], options=NO_CLOCK)
    except jwt.InvalidSignatureError:
        return
    sys.exit("PyJWT accepts a token under another key: this comparison can't fail")


main()
