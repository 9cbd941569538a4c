//! Reading what is to be typed, and what is said to come of it.

use serde_json::{Deserializer, Value};

/// A command, and the answer that the document has below it.
#[derive(Debug)]
pub struct Step {
    pub line: String,
    pub said: Option<Said>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub body: Option<Value>,
}

/// The blocks between fences of this language, in their order.
pub fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("```") {
            match open.take() {
                None => open = Some((word == language, String::new())),
                Some((true, block)) => found.push(block),
                Some((false, _)) => {}
            }
        } else if let Some((_, block)) = &mut open {
            block.push_str(line);
            block.push('\n');
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// The commands of a block. A line that begins with `#` says what is answered, and goes on in the next one.
pub fn steps(block: &str) -> Vec<Step> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut line = String::new();
    for text in block.lines() {
        match text.strip_prefix('#').filter(|_| line.is_empty()) {
            Some(said) => commands.last_mut().expect("a command before it").1.push_str(said),
            None => {
                line.push_str(text);
                if is_whole(&line) {
                    commands.push((std::mem::take(&mut line), String::new()));
                } else {
                    line.push('\n');
                }
            }
        }
    }
    assert!(line.is_empty(), "{line} has no end");
    let step = |(line, text): (String, String)| Step { line, said: said(text.trim()) };
    commands.into_iter().map(step).collect()
}

fn is_whole(line: &str) -> bool {
    !line.ends_with('\\') && line.matches('\'').count().is_multiple_of(2)
}

/// A status, and perhaps JSON, and then perhaps something for people. What is left out of an object stands
/// as a member `…`.
fn said(text: &str) -> Option<Said> {
    let (status, rest) = text.split_once(' ').unwrap_or((text, ""));
    if text.is_empty() {
        return None;
    }
    let status =
        status.parse().unwrap_or_else(|_| panic!("an answer begins with its status: {text}"));
    let rest = rest.replace("{…", r#"{"…":0"#).replace(",…", r#","…":0"#);
    let body = Deserializer::from_str(&rest).into_iter().next();
    Some(Said { status, body: body.map(|body| body.unwrap_or_else(|why| panic!("{text}: {why}"))) })
}

#[test]
fn commands_and_their_answers_are_told_apart() {
    let text = "
```sh
curl one \\
  -d '{
  \"a\": 1}'
# 201 {\"id\":\"…\",
#      \"b\":[{…,\"c\":2,…}]}: and so on
curl two   # beside it
curl three
# 204
```
```json
# no
```
";
    let [block] = &blocks(text, "sh")[..] else { panic!("one block") };
    let [one, two, three] = &steps(block)[..] else { panic!("three commands") };
    assert_eq!(one.line, "curl one \\\n  -d '{\n  \"a\": 1}'");
    let body = serde_json::json!({ "id": "…", "b": [{ "…": 0, "c": 2 }] });
    assert_eq!(one.said, Some(Said { status: 201, body: Some(body) }));
    assert_eq!((&*two.line, &two.said), ("curl two   # beside it", &None));
    assert_eq!(three.said, Some(Said { status: 204, body: None }));
}
