//! Everything `jwt-core-c` exports: who has a function's address may call it with anything.

use core::hint::black_box;

use jwt_core_c::{
    jwt_http_date_secs, jwt_inspect, jwt_key_from_engine, jwt_key_from_parts,
    jwt_key_from_weak_parts, jwt_key_wipe, jwt_rfc3339_secs, jwt_session_answered,
    jwt_session_authorize, jwt_session_authorize_standby, jwt_session_deploy,
    jwt_session_floor_secs, jwt_session_init, jwt_session_next_step, jwt_session_now,
    jwt_session_promote, jwt_session_retire, jwt_session_set_clock, jwt_session_slots,
    jwt_session_standby_answered, jwt_session_wipe, jwt_sign, jwt_status_text,
    jwt_template_bearer_line, jwt_template_init, jwt_template_sign, jwt_template_token_len,
    jwt_template_wipe, jwt_token_len, jwt_verify,
};

pub fn use_all() {
    black_box([
        jwt_http_date_secs as *const (),
        jwt_inspect as *const (),
        jwt_key_from_engine as *const (),
        jwt_key_from_parts as *const (),
        jwt_key_from_weak_parts as *const (),
        jwt_key_wipe as *const (),
        jwt_rfc3339_secs as *const (),
        jwt_session_answered as *const (),
        jwt_session_authorize as *const (),
        jwt_session_authorize_standby as *const (),
        jwt_session_deploy as *const (),
        jwt_session_floor_secs as *const (),
        jwt_session_init as *const (),
        jwt_session_next_step as *const (),
        jwt_session_now as *const (),
        jwt_session_promote as *const (),
        jwt_session_retire as *const (),
        jwt_session_set_clock as *const (),
        jwt_session_slots as *const (),
        jwt_session_standby_answered as *const (),
        jwt_session_wipe as *const (),
        jwt_sign as *const (),
        jwt_status_text as *const (),
        jwt_template_bearer_line as *const (),
        jwt_template_init as *const (),
        jwt_template_sign as *const (),
        jwt_template_token_len as *const (),
        jwt_template_wipe as *const (),
        jwt_token_len as *const (),
        jwt_verify as *const (),
    ]);
}
