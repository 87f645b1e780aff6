// The header in C++: it compiles, and an Authorization line is signed into storage of its own.
#include "jwt_core.h"

#include "check.h"

static jwt_status sign_example(char *line, size_t size) {
    const jwt_bytes parts[] = {
        JWT_BYTES("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"),
        JWT_BYTES("||"),
        jwt_bytes_of("cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"),
    };
    jwt_claims claims = jwt_claims();
    claims.iss = JWT_TEXT("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa");
    const jwt_times times = jwt_times_iat(1713225600);

    jwt_key key;
    jwt_status status = jwt_key_from_parts(&key, sizeof key, parts, 3);
    if (status == JWT_OK) {
        status = jwt_sign(&key, &claims, &times, line, size, NULL);
    }
    jwt_key_wipe(&key);
    return status;
}

int main() {
    char token[JWT_TOKEN_LEN(JWT_HEADER_LEN, JWT_ISS_IAT_LEN(36)) + 1];
    CHECK(sign_example(token, sizeof token) == JWT_OK);
    CHECK_TEXT(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                      "eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9."
                      "sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0");
    CHECK(sign_example(token, sizeof token - 1) == JWT_ERROR_BUFFER_TOO_SMALL);
    return check_end("header in C++");
}
