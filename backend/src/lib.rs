//! Holdfast's server as a library.
