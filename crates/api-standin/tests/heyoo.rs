//! Heyoo's stand-in: kinds of keys, and the error that names the permission.

mod client;

use api_standin::{Api, Config, Permissions, Standin, Verdict};
use client::{get, post};
use serde_json::json;

const CAMPAIGNS: &str = "/campaigns";

#[test]
fn kinds_of_keys() {
    let standin = Standin::start(Config::default()).unwrap();
    let read = |key: &str| get(&standin, Api::Heyoo, CAMPAIGNS, key).status;
    let body = json!({ "name": "Spring" });
    let write = |key: &str| post(&standin, Api::Heyoo, CAMPAIGNS, key, &body).status;
    for (key, may_read, may_write) in [
        ("Bearer hey_standin_all", 200, 200),
        ("Bearer hey_standin_read_only", 200, 403),
        ("Bearer hey_standin_tags_only", 403, 403),
        ("Bearer hey_unknown", 401, 401),
        ("hey_standin_all", 401, 401),
    ] {
        assert_eq!((read(key), write(key)), (may_read, may_write), "{key}");
    }
    assert_eq!(
        get(
            &standin,
            Api::Heyoo,
            "/tags",
            "Bearer hey_standin_tags_only"
        )
        .status,
        200
    );
}

#[test]
fn the_base_url_has_the_documented_path() {
    let standin = Standin::start(Config::default()).unwrap();
    let address = standin.address(Api::Heyoo);
    assert_eq!(
        standin.base_url(Api::Heyoo),
        format!("http://{address}/api")
    );
    get(&standin, Api::Heyoo, CAMPAIGNS, "Bearer hey_standin_all");
    assert_eq!(standin.log()[0].path, CAMPAIGNS);
}

#[test]
fn a_lacking_permission_is_named() {
    let standin = Standin::start(Config::default()).unwrap();
    let answer = get(
        &standin,
        Api::Heyoo,
        CAMPAIGNS,
        "Bearer hey_standin_tags_only",
    );
    assert_eq!(answer.status, 403);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], json!("forbidden"));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("'campaigns.read'")
    );
    let verdict = standin.log().pop().unwrap().verdict;
    assert_eq!(verdict, Verdict::NoPermission("campaigns.read".into()));
}

#[test]
fn permissions_change_while_the_server_runs() {
    let standin = Standin::start(Config::default()).unwrap();
    let granted = vec!["campaigns.read".to_string()];
    standin.change_credentials(|known| {
        for key in &mut known.heyoo {
            key.permissions = Permissions::Restricted(granted.clone());
        }
    });
    let status = |path| get(&standin, Api::Heyoo, path, "Bearer hey_standin_all").status;
    assert_eq!((status(CAMPAIGNS), status("/tags")), (200, 403));
}
