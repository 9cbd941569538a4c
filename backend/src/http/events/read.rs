//! Reading a log. It knows nothing of sockets: an offset, a limit, entries.

use super::{RoomPath, room};
use crate::{
    app::Shared,
    limits::{READ_BYTES, READ_EVENTS},
    problem::Problem,
};
use axum::{
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use holdfast_common::{
    cursor::{self, Cursor, Head, Mark, Offset},
    error::Code,
    frame::GapReason,
    id::{Epoch, RoomId},
    storage::Slice,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq)]
struct Query {
    epoch: Option<Epoch>,
    after: Offset,
    /// Of the entry at `after`, as the reader has it.
    mark: Option<Mark>,
    limit: u32,
}

/// `GET /api/v1/{namespace}/rooms/{room}/events`.
pub(crate) async fn read(
    State(shared): State<Arc<Shared>>,
    path: RoomPath,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse(query.as_deref().unwrap_or_default())?;
    let (_, info) = room(&shared, path).await?;
    let slice = shared
        .engine
        .slice(info.room, query.after, query.limit, READ_BYTES)
        .await?
        .ok_or(Code::UnknownRoom)?;
    let mark_at = mark_at(&shared, info.room, &query).await?;
    check(&query, &slice.head, mark_at)?;
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, written(&query, &slice)).into_response())
}

fn parse(query: &str) -> Result<Query, Problem> {
    let mut read = Query { epoch: None, after: 0, mark: None, limit: 100 };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let wrong = |what: &str| Problem::bad_request(format!("{name} has to be {what}."));
        match name {
            "epoch" => read.epoch = Some(value.parse().map_err(|_| wrong("an epoch"))?),
            "after" => read.after = value.parse().map_err(|_| wrong("an offset"))?,
            "mark" => {
                let mark = serde_json::from_value(value.into());
                read.mark = Some(mark.map_err(|_| wrong("a mark"))?);
            }
            "limit" => {
                let limit = value.parse().ok();
                let limit = limit.filter(|limit| (1..=READ_EVENTS).contains(limit));
                read.limit = limit.ok_or_else(|| wrong(&format!("1 to {READ_EVENTS}")))?;
            }
            // Others may be of a later version.
            _ => {}
        }
    }
    Ok(read)
}

/// The log's own mark where the reader stands, if it says which one it has; `None` as well where
/// that was trimmed and cannot be compared any more.
async fn mark_at(shared: &Shared, room: RoomId, query: &Query) -> Result<Option<Mark>, Problem> {
    if query.mark.is_none() || query.after == 0 {
        return Ok(query.mark.map(|_| Mark::START));
    }
    let slice = shared.engine.slice(room, query.after - 1, 1, 0).await?;
    let slice = slice.ok_or(Code::UnknownRoom)?;
    if query.after.saturating_add(1) == slice.head.first {
        return Ok(slice.trimmed_mark);
    }
    let entry = slice.entries.first().filter(|(offset, _)| *offset == query.after);
    let marked = entry.map(|(_, text)| serde_json::from_str(text));
    let marked: Option<Marked> = marked.transpose().map_err(|_| Code::ServerFault)?;
    Ok(marked.map(|entry| entry.mark))
}

#[derive(Deserialize)]
struct Marked {
    mark: Mark,
}

/// A reader goes on only in the log it has read from.
fn check(query: &Query, head: &Head, mark_at: Option<Mark>) -> Result<(), Problem> {
    let epoch = query.epoch.unwrap_or(head.epoch);
    let mark = query.mark.or(mark_at).unwrap_or(Mark::START);
    let cursor = Cursor { epoch, offset: query.after, mark };
    cursor::check(&cursor, head, mark_at).map_err(|reason| {
        Problem::from(Code::Reset)
            .with("reason", json!(reason))
            .with("epoch", json!(head.epoch))
            .with("head", head.offset)
    })
}

fn written(query: &Query, slice: &Slice) -> String {
    let first = slice.head.first;
    let gap = if query.after + 1 < first {
        json!({
            "from": query.after + 1,
            "to": first - 1,
            "count": first - 1 - query.after,
            "reason": GapReason::Trimmed,
        })
    } else {
        Value::Null
    };
    let entries: Vec<&str> = slice.entries.iter().map(|(_, text)| &**text).collect();
    format!(
        r#"{{"epoch":"{}","head":{},"gap":{gap},"events":[{}]}}"#,
        slice.head.epoch,
        slice.head.offset,
        entries.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused() {
        let read = parse("after=7&limit=1000&later=x").unwrap();
        assert_eq!((read.after, read.limit, read.epoch), (7, 1000, None));
        assert_eq!(parse("").unwrap().limit, 100);
        for query in [
            "limit=0",
            "limit=1001",
            "limit=",
            "limit=-1",
            "after=-1",
            "after=1.5",
            "after=18446744073709551616",
            "epoch=now",
            "mark=",
            "mark=7",
            "mark=66ed1e4df3bca32g",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
        assert!(parse("after=18446744073709551615").is_ok());
    }
}
