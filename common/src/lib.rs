//! Holdfast's typed events, wire protocol and state machines, without IO.
