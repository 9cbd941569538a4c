//! A room that is deleted, and who may take it for living still.

use super::{Connection, Fanout, Item, Key};
use crate::id::RoomId;

impl<B: Clone> Fanout<B> {
    /// The list of rooms begins to be read for the connection, or has been read: what is read may be
    /// older than what the connection is told meanwhile.
    pub fn lists(&mut self, key: Key, begins: bool) {
        if let Some(connection) = self.get(key) {
            connection.lists = begins;
        }
    }

    /// A room is no more. Told are those who follow it, and those who may be about to: they are being
    /// greeted, or the list of rooms is being read for them. Returns whom to wake.
    pub fn room_gone(&mut self, room: RoomId) -> Vec<Key> {
        self.heads.remove(&room);
        let concerned =
            |it: &Connection<B>| it.person.is_none() || it.lists || it.rooms.contains(&room);
        let places = self.places.iter().enumerate();
        let places = places.filter(|(_, it)| it.as_ref().is_some_and(concerned));
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        let mut wake = Vec::new();
        for place in places {
            self.push(place, Item::NotMember(room), None, &mut wake);
        }
        wake
    }
}
