//! Heymarket's inboxes, as `GET /v1/inboxes` lists them.

use std::fmt;

use serde_json::{Value, json};

use crate::output;

/// An inbox: what messages are sent from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// What `inbox_id` names.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The ids of its members, one of whom is a message's creator.
    pub members: Vec<u64>,
}

impl Inbox {
    /// Reads the list: a bare array by the reference, an object with `inboxes` by a guide. What is no inbox is skipped.
    pub fn list(json: &str) -> Vec<Self> {
        let parsed: Value = serde_json::from_str(json).unwrap_or_default();
        let list = parsed.as_array().or_else(|| parsed["inboxes"].as_array());
        let list = list.map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Self::read).collect()
    }

    fn read(inbox: &Value) -> Option<Self> {
        // Members are ids, or objects that have one.
        let member = |member: &Value| member.as_u64().or_else(|| member["id"].as_u64());
        let members = inbox["members"].as_array().map(Vec::as_slice);
        let name = inbox["name"].as_str().unwrap_or_default();
        Some(Self {
            id: inbox["id"].as_u64()?,
            name: output::printable(name),
            members: members
                .unwrap_or_default()
                .iter()
                .filter_map(member)
                .collect(),
        })
    }

    /// The inbox as `--json` prints it.
    pub fn json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "members": self.members })
    }
}

impl fmt::Display for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = self.members.iter().map(u64::to_string).collect();
        let members = match members.is_empty() {
            true => "none listed".into(),
            false => members.join(", "),
        };
        write!(f, "inbox {} ({}), members {members}", self.id, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_documented_shapes_are_read() {
        let bare = r#"[{"id":42,"name":"Alerts","members":[7]},{"id":"x"}]"#;
        let wrapped = r#"{"inboxes":[{"id":42,"name":"Alerts","members":[{"id":7}]}]}"#;
        let expected = vec![Inbox {
            id: 42,
            name: "Alerts".into(),
            members: vec![7],
        }];
        assert_eq!(Inbox::list(bare), expected);
        assert_eq!(Inbox::list(wrapped), expected);
        assert_eq!(Inbox::list("nonsense"), []);
    }
}
