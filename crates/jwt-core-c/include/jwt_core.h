/*
 * HS256 JSON Web Tokens and the Authorization header of four APIs, in fixed buffers: the C interface of a library
 * without heap, for C99 and later and for C++.
 *
 * Made of crates/jwt-core-c/src by cbindgen: change it there.
 *
 * Lengths and sizes are in bytes. The length of a text does not count the zero behind it, the size of a buffer does:
 * a text of length N needs a buffer of size N + 1. Times are in Unix seconds, without leap seconds.
 *
 * Objects (jwt_key, jwt_template) live in memory of the caller's, on the stack, in static storage or on a heap. They
 * hold what signs: wipe them when they are no longer needed. Copies that the compiler leaves in registers or on the
 * stack are not covered by that.
 *
 * Every function that returns a jwt_status returns JWT_OK or says what is wrong, besides what is named with it:
 *   JWT_ERROR_NULL_POINTER, JWT_ERROR_MISALIGNED  a pointer that must not be so
 *   JWT_ERROR_LENGTH                              a length or size that no memory has
 *   JWT_ERROR_OVERLAP                             memory that is written to and read
 *   JWT_ERROR_NOT_INITIALIZED, JWT_ERROR_BUSY     an object that is not ready, or in use
 *
 * What can't be told is the caller's to keep: pointers point to as much memory as is said; an object is used from one
 * thread or interrupt at a time; a function that is called back returns, without an exception or longjmp.
 */


#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * A time that a token does not have.
 */
#define JWT_ABSENT UINT64_MAX

/**
 * Length of an HMAC-SHA256 in bytes.
 */
#define JWT_MAC_LEN 32

/**
 * Fewest bytes of an HMAC key that is not weak (RFC 7518 section 3.2).
 */
#define JWT_KEY_MIN_LEN 32

/**
 * Words of 8 bytes in a `jwt_key`.
 */
#define JWT_KEY_WORDS 12

/**
 * Most characters of base64url that a template holds: of the header, of the claims, and the dot.
 *
 * An issuer that is a UUID takes 97.
 */
#define JWT_TEMPLATE_CAPACITY 256

/**
 * Words of 8 bytes in a `jwt_template`.
 */
#define JWT_TEMPLATE_WORDS 54

/**
 * What a call came to: `JWT_OK`, or what was wrong.
 */
enum jwt_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    JWT_OK = 0,
    /**
     * A pointer is null that must not be.
     */
    JWT_ERROR_NULL_POINTER,
    /**
     * An object or structure is not aligned as its type wants.
     */
    JWT_ERROR_MISALIGNED,
    /**
     * A length or size is larger than memory behind its pointer can be.
     */
    JWT_ERROR_LENGTH,
    /**
     * The memory that is written to overlaps with what is read.
     */
    JWT_ERROR_OVERLAP,
    /**
     * The storage for an object is smaller than its type: header and library differ, or `sizeof` is of a pointer.
     */
    JWT_ERROR_STORAGE_TOO_SMALL,
    /**
     * The object has not been initialised, its initialisation failed, or it was wiped.
     */
    JWT_ERROR_NOT_INITIALIZED,
    /**
     * The object is in use by a call that has not returned: from an interrupt, another thread or a callback.
     */
    JWT_ERROR_BUSY,
    /**
     * Text is not UTF-8.
     */
    JWT_ERROR_NOT_UTF8,
    /**
     * The buffer does not hold the text and the zero behind it; the length that it needs is reported.
     */
    JWT_ERROR_BUFFER_TOO_SMALL,
    /**
     * Header and claims take more than `JWT_TEMPLATE_CAPACITY` characters: sign them without a template.
     */
    JWT_ERROR_CLAIMS_TOO_LONG,
    /**
     * The key has no bytes.
     */
    JWT_ERROR_KEY_EMPTY,
    /**
     * The key has fewer than `JWT_KEY_MIN_LEN` bytes (RFC 7518 section 3.2).
     */
    JWT_ERROR_KEY_TOO_SHORT,
    /**
     * The engine has returned anything but 0.
     */
    JWT_ERROR_ENGINE,
    /**
     * A time is larger than 2^53 - 1 seconds: it may be in milliseconds or less.
     */
    JWT_ERROR_TIME_OUT_OF_RANGE,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_status jwt_status;
#else
typedef int32_t jwt_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An HMAC-SHA256 key, in storage of the caller's; opaque.
 *
 * It holds the key's two SHA-256 states, which sign whatever the key signs, or an engine. It may be
 * copied and moved. Every copy is to be wiped.
 */
typedef struct jwt_key {
    /**
     * Not to be looked at.
     */
    uint64_t opaque[JWT_KEY_WORDS];
} jwt_key;

/**
 * Bytes that are read.
 */
typedef struct jwt_bytes {
    /**
     * The first byte; may be null if there are none.
     */
    const uint8_t *data;
    /**
     * How many bytes.
     */
    size_t len;
} jwt_bytes;

/**
 * A key in hardware, a peripheral's or a secure element's, that a function of the firmware's computes with.
 */
typedef struct jwt_engine {
    /**
     * Given to the function as it is; may be null.
     */
    void *context;
    /**
     * Computes the HMAC-SHA256 of a message, writes its `JWT_MAC_LEN` bytes to `mac` and returns 0.
     *
     * The message comes whole. Anything but 0 becomes `JWT_ERROR_ENGINE`, and nothing is signed. The
     * function must not use the object that calls it.
     */
    int32_t (*hmac)(void *context, const uint8_t *message, size_t message_len, uint8_t *mac);
} jwt_engine;

/**
 * Text that is read, in UTF-8, with or without a zero behind it.
 */
typedef struct jwt_text {
    /**
     * The first byte; null for text that there is none of.
     */
    const char *data;
    /**
     * How many bytes, a zero behind them not counted.
     */
    size_t len;
} jwt_text;

/**
 * What a token says besides its times: text without data is left out, so all zeros is nothing.
 *
 * The header is `{"alg":"HS256","kid":"...","typ":"JWT"}`; the claims follow each other in the order of
 * the fields. Text is escaped as JSON wants it.
 */
typedef struct jwt_claims {
    /**
     * Key ID, in the header.
     */
    struct jwt_text kid;
    /**
     * Issuer.
     */
    struct jwt_text iss;
    /**
     * Subject.
     */
    struct jwt_text sub;
    /**
     * Audience, a single one.
     */
    struct jwt_text aud;
    /**
     * Token ID.
     */
    struct jwt_text jti;
} jwt_claims;

/**
 * When a token is valid, in Unix seconds; `JWT_ABSENT` leaves a time out.
 *
 * They follow the other claims, in the order of the fields.
 */
typedef struct jwt_times {
    /**
     * The token is not accepted from this second on.
     */
    uint64_t exp;
    /**
     * The token is not accepted before.
     */
    uint64_t nbf;
    /**
     * When the token was issued.
     */
    uint64_t iat;
} jwt_times;

/**
 * A token of which everything but the times is encoded and absorbed once, in storage of the caller's; opaque.
 *
 * It holds the key, so it signs whatever the key signs. It may be copied and moved. Every copy is to be wiped.
 */
typedef struct jwt_template {
    /**
     * Not to be looked at.
     */
    uint64_t opaque[JWT_TEMPLATE_WORDS];
} jwt_template;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Prepares the HMAC key that is the concatenation of parts, together at least `JWT_KEY_MIN_LEN` bytes.
 *
 * Heymarket's key is three parts: the secret's ID, `||` and the secret's key.
 *
 * `key_size`: `sizeof(jwt_key)`. `parts_count`: 1 to 4. On failure the key is zeroed, so that using it
 * is an error, unless it can't be written to: then it is untouched.
 *
 * Errors: `JWT_ERROR_KEY_EMPTY`, `JWT_ERROR_KEY_TOO_SHORT`, `JWT_ERROR_STORAGE_TOO_SMALL`,
 * `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`, `JWT_ERROR_LENGTH`.
 */
jwt_status jwt_key_from_parts(struct jwt_key *key,
                              size_t key_size,
                              const struct jwt_bytes *parts,
                              size_t parts_count);

/**
 * Prepares a key as `jwt_key_from_parts` does, but of any length, against RFC 7518's advice.
 *
 * For peers that issue keys under 32 bytes, and for test vectors.
 *
 * Errors: those of `jwt_key_from_parts` but `JWT_ERROR_KEY_TOO_SHORT`.
 */
jwt_status jwt_key_from_weak_parts(struct jwt_key *key,
                                   size_t key_size,
                                   const struct jwt_bytes *parts,
                                   size_t parts_count);

/**
 * Makes a key of an engine, which is copied; what its context points to has to stay.
 *
 * `key_size`: `sizeof(jwt_key)`. On failure the key is zeroed, unless it can't be written to.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, also for an engine without function, `JWT_ERROR_STORAGE_TOO_SMALL`,
 * `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_key_from_engine(struct jwt_key *key,
                               size_t key_size,
                               const struct jwt_engine *engine);

/**
 * Zeroes a key, initialised or not.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_key_wipe(struct jwt_key *key);

/**
 * Signs a token of claims of any length.
 *
 * Writes the token and a zero to `token`, a buffer of `token_size` bytes, and its length without that
 * zero to `token_len`, unless that is null. On `JWT_ERROR_BUFFER_TOO_SMALL` nothing is written but the
 * length that the token has; `token` may be null if `token_size` is 0. On `JWT_ERROR_ENGINE` the bytes
 * of the token are zeroed; on any other error the buffer is untouched.
 *
 * Errors: `JWT_ERROR_BUFFER_TOO_SMALL`, `JWT_ERROR_TIME_OUT_OF_RANGE`, `JWT_ERROR_ENGINE`,
 * `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED`, and those about pointers.
 */
jwt_status jwt_sign(const struct jwt_key *key,
                    const struct jwt_claims *claims,
                    const struct jwt_times *times,
                    char *token,
                    size_t token_size,
                    size_t *token_len);

/**
 * Returns the length in bytes of the token that `jwt_sign` makes, without the zero; 0 if it can't make it.
 */
size_t jwt_token_len(const struct jwt_claims *claims,
                     const struct jwt_times *times);

/**
 * Returns what a status means as a sentence that says what to do: static, in English, ended by a zero.
 *
 * A number that is no status has a sentence too.
 */
const char *jwt_status_text(int32_t status);

/**
 * Encodes and absorbs everything of a token but its times.
 *
 * `template_size`: `sizeof(jwt_template)`. Key and claims are not needed afterwards; the key may be wiped.
 * On failure the template is zeroed, so that using it is an error, unless it can't be written to:
 * then it is untouched.
 *
 * Errors: `JWT_ERROR_CLAIMS_TOO_LONG`, `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED` for the key,
 * `JWT_ERROR_STORAGE_TOO_SMALL`, and those about pointers.
 */
jwt_status jwt_template_init(struct jwt_template *template_,
                             size_t template_size,
                             const struct jwt_key *key,
                             const struct jwt_claims *claims);

/**
 * Signs with new times, at the cost of 3 SHA-256 compressions for a token of Heymarket's.
 *
 * The token is byte for byte the one of `jwt_sign`, as are the buffer, the length and the errors.
 */
jwt_status jwt_template_sign(struct jwt_template *template_,
                             const struct jwt_times *times,
                             char *token,
                             size_t token_size,
                             size_t *token_len);

/**
 * Signs with new times, and writes the line of an HTTP request: `Authorization: Bearer ` and the token, without CRLF.
 *
 * Buffer, length and errors are as of `jwt_sign`, with the line in the place of the token: its length is
 * `JWT_BEARER_LINE_LEN` of the token's.
 */
jwt_status jwt_template_bearer_line(struct jwt_template *template_,
                                    const struct jwt_times *times,
                                    char *line,
                                    size_t line_size,
                                    size_t *line_len);

/**
 * Returns the length in bytes of the token with these times, without the zero; 0 if it can't be signed.
 */
size_t jwt_template_token_len(struct jwt_template *template_,
                              const struct jwt_times *times);

/**
 * Zeroes a template, initialised or not.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_template_wipe(struct jwt_template *template_);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The bytes of a string literal, or of an array without its last one: a jwt_text or a jwt_bytes. */
#ifdef __cplusplus
#define JWT_TEXT(literal) (jwt_text{(literal), sizeof(literal) - 1})
#define JWT_BYTES(literal) (jwt_bytes{reinterpret_cast<const uint8_t *>(literal), sizeof(literal) - 1})
#else
#define JWT_TEXT(literal) ((jwt_text){(literal), sizeof(literal) - 1})
#define JWT_BYTES(literal) ((jwt_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#endif

/* Text that is ended by a zero; none for a null pointer. */
static inline jwt_text jwt_text_of(const char *text) {
    jwt_text result = {text, 0};
    while (text && text[result.len]) {
        result.len++;
    }
    return result;
}

/* The bytes of text that is ended by a zero; none for a null pointer. */
static inline jwt_bytes jwt_bytes_of(const char *text) {
    jwt_bytes result = {(const uint8_t *)text, jwt_text_of(text).len};
    return result;
}

/* The time of issue alone, as Heymarket wants it. */
static inline jwt_times jwt_times_iat(uint64_t iat) {
    jwt_times result = {JWT_ABSENT, JWT_ABSENT, iat};
    return result;
}

/* The time of expiry alone, the least that the Key-ID JWT API wants. */
static inline jwt_times jwt_times_exp(uint64_t exp) {
    jwt_times result = {exp, JWT_ABSENT, JWT_ABSENT};
    return result;
}

/*
 * Lengths for the compiler, for text that JSON needs not escape and seconds of ten digits (2001 to 2286).
 * JWT_TOKEN_LEN is of a header and a payload of these lengths as JSON; JWT_TOKEN_LEN(JWT_HEADER_LEN,
 * JWT_ISS_IAT_LEN(36)) is 165, the length of Heymarket's token.
 */
#define JWT_BASE64URL_LEN(len) (((len) * 4 + 2) / 3)
#define JWT_TOKEN_LEN(header_len, payload_len) \
    (JWT_BASE64URL_LEN(header_len) + 1 + JWT_BASE64URL_LEN(payload_len) + 44)
#define JWT_HEADER_LEN 27
#define JWT_HEADER_KID_LEN(kid_len) (JWT_HEADER_LEN + 9 + (kid_len))
#define JWT_ISS_IAT_LEN(iss_len) (27 + (iss_len))
#define JWT_EXP_LEN 18

/* The length of an Authorization line with a bearer token of this length, without CRLF. */
#define JWT_BEARER_LINE_LEN(token_len) (22 + (token_len))
