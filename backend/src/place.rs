//! How many connections there may be, and what is told to those beyond.

use crate::problem::Problem;
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use holdfast_common::error::Code;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A connection's place among those that there may be. Each request carries it, and a WebSocket keeps
/// it: it is free again when the last of them has ended.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
    /// There was none: it is a place among those that are being refused.
    refused: bool,
}

impl Place {
    pub(crate) fn new(permit: OwnedSemaphorePermit, refused: bool) -> Self {
        Self { _permit: Arc::new(permit), refused }
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }
}

/// The middleware. Operators are answered even where nobody else is, and a WebSocket is refused behind
/// its upgrade, so that a page hears why.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let refused = request.extensions().get().is_some_and(Place::is_refused);
    let path = request.uri().path();
    if refused && !matches!(path, "/healthz" | "/readyz" | "/metrics") && !path.ends_with("/ws") {
        return Problem::from(Code::Overloaded).into_response();
    }
    next.run(request).await
}
