//! What a newer peer might say.

use serde_json::{Value, json};

/// Members that hold an event's own JSON. It belongs to its type, and nobody adds to it.
const RAW: [&str; 3] = ["data", "reply", "why"];

/// `text` as a newer version might write it: with one more member in each of its objects.
pub fn more(text: &str, named: bool) -> String {
    let mut value = read(text);
    if named {
        // The outer object is the name of what it holds.
        value.as_object_mut().into_iter().flat_map(|it| it.values_mut()).for_each(extend);
    } else {
        extend(&mut value);
    }
    value.to_string()
}

/// `text` in the order of keys that [`more`] leaves behind.
pub fn same(text: &str) -> String {
    read(text).to_string()
}

/// What stands in an object under its one name.
fn named(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(|it| it.values_mut())
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("a golden file is JSON")
}

fn extend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if name == "state" {
                    // The object inside is the name of the state.
                    named(member).for_each(extend);
                } else if name == "deed" {
                    // The same, twice over: the deed's name, and of which jobs.
                    named(member).flat_map(named).for_each(extend);
                } else if !RAW.contains(&name.as_str()) {
                    extend(member);
                }
            }
            members.insert("of_a_later_version".to_owned(), json!({ "any": [1, null, "x"] }));
        }
        _ => {}
    }
}
