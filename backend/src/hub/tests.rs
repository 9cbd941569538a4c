use super::*;
use holdfast_common::{
    cursor::{Head, Mark},
    id::{Epoch, SessionId, WriterId},
};

fn room(n: u8) -> RoomInfo {
    RoomInfo {
        room: RoomId::from_bytes([n; 16]),
        ns: "chat".into(),
        name: n.to_string(),
        head: Head { epoch: Epoch::NIL, offset: 0, mark: Mark::START, first: 1 },
        joined: true,
        gone: false,
        inbox: false,
    }
}

/// A connection that follows these rooms, and has heard of nothing yet.
fn follower(hub: &Arc<Hub>, rooms: &[RoomInfo]) -> Seat {
    hub.learn(rooms);
    let seat = hub.connect(ConnectionId::from_bytes([1; 16]));
    let session = SessionId::from_bytes([1; 16]);
    let person = Author { id: PersonId::from_bytes([1; 16]), name: "Ada".into() };
    seat.register(person, Run { session, writer: WriterId::from_bytes([1; 16]), generation: 1 });
    for info in rooms {
        seat.follow(info.room);
    }
    seat.take();
    seat
}

/// Whether the connection is told what its namespace is told.
fn hears(hub: &Hub, seat: &Seat) -> bool {
    hub.send(To::Namespace("chat"), &"to all".into());
    seat.take().contains(&Item::Pass("to all".into()))
}

#[test]
fn nothing_is_kept_of_the_namespace_of_a_room_that_is_gone() {
    let (hub, one) = (Arc::new(Hub::new(8)), room(1));
    let seat = follower(&hub, std::slice::from_ref(&one));
    assert!(hub.is_of(one.room, "chat") && hears(&hub, &seat));
    hub.room_gone(&one);
    assert!(hub.state().namespaces.is_empty());
    seat.unfollow(one.room);
    assert!(!hears(&hub, &seat), "it follows no room of the namespace any more");
}

#[test]
fn who_follows_another_room_of_the_namespace_still_hears_of_it_once_one_is_gone() {
    let (hub, one, two) = (Arc::new(Hub::new(8)), room(1), room(2));
    let seat = follower(&hub, &[one.clone(), two.clone()]);
    hub.room_gone(&one);
    seat.unfollow(one.room);
    assert!(hears(&hub, &seat));
    seat.unfollow(two.room);
    assert!(!hears(&hub, &seat));
}
