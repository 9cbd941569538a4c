//! Who calls: a person by the secret that their page has, or else the service.

use super::events::service;
use crate::{app::Shared, clock, problem::Problem};
use axum::http::{HeaderMap, header};
use holdfast_common::{
    error::Code,
    frame::Author,
    id::PersonId,
    job::limits::{LABEL_BYTES, label},
    limits::SECRET_BYTES,
    storage::jobs::By,
    text::steers,
};
use sha2::{Digest, Sha256};

/// What a person is called who comes by HTTP before they ever came with a name.
const NAMELESS: &str = "Somebody";

/// Whoever calls as the service may say in this header what they are called.
const BY: &str = "holdfast-by";

/// Who calls. It stands as the author of what is written.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    author: Author,
    /// What a service says it is called: for the audit alone, since nobody has checked it.
    called: Option<String>,
}

impl Caller {
    /// By the header `Authorization: Holdfast {person}:{secret}`, if there is one.
    pub(super) async fn of(shared: &Shared, headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(said) = headers.get(header::AUTHORIZATION) else {
            return Ok(Self { author: Author::service(), called: called(headers)? });
        };
        let text = said.to_str().ok().and_then(|text| text.strip_prefix("Holdfast "));
        let (person, secret) =
            text.and_then(|text| text.trim().split_once(':')).ok_or_else(wrong)?;
        let person: PersonId = person.parse().map_err(|_| wrong())?;
        if !SECRET_BYTES.contains(&secret.len()) {
            return Err(wrong());
        }
        // The server's own ids are nobody's to speak for.
        if person == PersonId::NIL || person == service() {
            return Err(Code::Forbidden.into());
        }
        let hash = Sha256::digest(secret.as_bytes()).into();
        let name = NAMELESS.to_owned();
        let known = shared.engine.recognise(person, hash, name, clock::wall()).await?;
        let wrong = |_| Problem::because(Code::Forbidden, "This is not the person it says it is.");
        Ok(Self { author: Author { id: person, name: known.map_err(wrong)? }, called: None })
    }

    /// The person; `None` for the service.
    pub(super) fn person(&self) -> Option<PersonId> {
        Some(self.author.id).filter(|id| *id != service())
    }

    /// Who is noted as the author.
    pub(super) fn author(&self) -> Author {
        self.author.clone()
    }

    /// Who is noted in the audit.
    pub(super) fn by(&self) -> By {
        let Author { id: person, name } = self.author();
        By { person, name: self.called.clone().unwrap_or(name) }
    }
}

/// What the caller says it is called. What does not belong in a name is left out, as of a person's.
fn called(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(said) = headers.get(BY) else { return Ok(None) };
    let text = std::str::from_utf8(said.as_bytes()).unwrap_or_default();
    let plain: String = text.chars().filter(|it| !it.is_control() && !steers(*it)).collect();
    let name = plain.trim();
    if !label(name) {
        let (least, most) = (LABEL_BYTES.start(), LABEL_BYTES.end());
        let text = format!("Holdfast-By is {least} to {most} bytes of UTF-8.");
        return Err(Problem::bad_request(text));
    }
    Ok(Some(name.to_owned()))
}

fn wrong() -> Problem {
    let (least, most) = (SECRET_BYTES.start(), SECRET_BYTES.end());
    let form = "Authorization is: Holdfast PERSON:SECRET, a UUID and a secret of";
    Problem::bad_request(format!("{form} {least} to {most} bytes."))
}
