//! Who calls: a person by the secret that their page has, or else the service.

use super::events::service;
use crate::{app::Shared, clock, problem::Problem};
use axum::http::{HeaderMap, header};
use holdfast_common::{error::Code, frame::Author, id::PersonId, limits::SECRET_BYTES};
use sha2::{Digest, Sha256};

/// What a person is called who comes by HTTP before they ever came with a name.
const NAMELESS: &str = "Somebody";

/// Who calls. It stands as the author of what is written.
#[derive(Debug, Clone)]
pub(super) struct Caller(Author);

impl Caller {
    /// By the header `Authorization: Holdfast {person}:{secret}`, if there is one.
    pub(super) async fn of(shared: &Shared, headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(said) = headers.get(header::AUTHORIZATION) else {
            return Ok(Self(Author { id: service(), name: "service".to_owned() }));
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
        Ok(Self(Author { id: person, name: known.map_err(wrong)? }))
    }

    /// The person; `None` for the service.
    pub(super) fn person(&self) -> Option<PersonId> {
        Some(self.0.id).filter(|id| *id != service())
    }

    /// Who is noted as the author.
    pub(super) fn author(&self) -> Author {
        self.0.clone()
    }
}

fn wrong() -> Problem {
    Problem::bad_request("Authorization is: Holdfast PERSON:SECRET.")
}
