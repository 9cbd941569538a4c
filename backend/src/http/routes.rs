//! Addresses, each with the right that is asked for there: in one place, and before anything else is
//! done, so that no handler can forget it.

use crate::{
    app::Shared,
    problem::Problem,
    rights::{Right, may},
};
use axum::{
    Router,
    extract::{RawPathParams, Request, rejection::RawPathParamsRejection},
    handler::Handler,
    middleware::{Next, from_fn},
    response::Response,
    routing::{MethodRouter, delete, get, post},
};
use std::sync::Arc;

/// Addresses below `/api/v1`.
#[derive(Default)]
pub(crate) struct Routes(Vec<Route>);

struct Route {
    path: &'static str,
    /// `None`: its handler asks, by what it finds.
    right: Option<Right>,
    answers: MethodRouter<Arc<Shared>>,
}

impl Routes {
    pub(super) fn get<T: 'static>(
        self,
        path: &'static str,
        right: Right,
        handler: impl Handler<T, Arc<Shared>>,
    ) -> Self {
        self.with(path, Some(right), get(handler))
    }

    pub(super) fn post<T: 'static>(
        self,
        path: &'static str,
        right: Right,
        handler: impl Handler<T, Arc<Shared>>,
    ) -> Self {
        self.with(path, Some(right), post(handler))
    }

    pub(super) fn delete<T: 'static>(
        self,
        path: &'static str,
        right: Right,
        handler: impl Handler<T, Arc<Shared>>,
    ) -> Self {
        self.with(path, Some(right), delete(handler))
    }

    /// One whose namespaces are not in its address: its handler asks whether each may be read.
    pub(super) fn get_found<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, Arc<Shared>>,
    ) -> Self {
        self.with(path, None, get(handler))
    }

    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(crate) fn router(self) -> Router<Arc<Shared>> {
        self.0.into_iter().fold(Router::new(), |router, Route { path, right, answers }| {
            let answers = match right {
                Some(right) => answers.route_layer(from_fn(move |params, request, next| {
                    asked(right, params, request, next)
                })),
                None => answers,
            };
            router.route(path, answers)
        })
    }

    fn with(
        mut self,
        path: &'static str,
        right: Option<Right>,
        answers: MethodRouter<Arc<Shared>>,
    ) -> Self {
        self.0.push(Route { path, right, answers });
        self
    }
}

/// Lets through who has the right in the namespace of the address.
async fn asked(
    right: Right,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let params = params.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    let ns = params.iter().find(|(name, _)| *name == "namespace");
    let (_, ns) = ns.expect("an address with a right of its own names a namespace");
    may(right, ns)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests;
