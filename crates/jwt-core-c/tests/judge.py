"""Judges Authorization lines by PyJWT: Heymarket's example, then a token a second."""

import sys

import jwt

SECRET_ID = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
KEY = f"{SECRET_ID}||cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
PREFIX = "Authorization: Bearer "

with open(sys.argv[1], encoding="ascii") as printed:
    lines = [line for line in printed.read().split("\n") if line.startswith(PREFIX)]
for now, line in enumerate(lines, start=1713225600):
    token = line.removeprefix(PREFIX)
    # The tokens are of 2024; whether a server takes one in time is not what is judged here.
    payload = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_iat": False})
    assert payload == {"iss": SECRET_ID, "iat": now}, payload
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert token == jwt.encode({"iss": SECRET_ID, "iat": now}, KEY, algorithm="HS256")
assert len(lines) >= 20, f"{len(lines)} lines"
print(f"{len(lines)} tokens are PyJWT's own")
