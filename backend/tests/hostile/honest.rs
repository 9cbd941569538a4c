//! The others: two people in the lobby, of whom one writes and the other reads, and a service that
//! comes by HTTP. They go by the clock and not by the answers: what comes late makes nothing else
//! late, so a server that stands still for a second is seen by every event of that second.

use crate::raw;
use holdfast_common::{
    codec,
    frame::{ClientFrame, Emit, ServerFrame},
    id::{EventId, RoomId},
};
use std::{
    io::{self, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Between two events, and between two requests. Well below what one connection may send.
const EVENTS: Duration = Duration::from_millis(8);
const REQUESTS: Duration = Duration::from_millis(40);

/// Events of the writer that may be without a verdict, however long it takes: some seconds.
const MOST_WAITING: u64 = 512;

/// One event or request, and how long after it was due what came of it.
#[derive(Debug, Clone, Copy)]
struct Sample {
    due: Instant,
    acked: Option<Duration>,
    seen: Option<Duration>,
}

/// How long things took in one stretch of time, each in order.
#[derive(Debug)]
pub struct Times {
    pub acks: Vec<Duration>,
    pub seen: Vec<Duration>,
    pub requests: Vec<Duration>,
}

impl Times {
    pub fn all(self) -> [Vec<Duration>; 3] {
        [self.acks, self.seen, self.requests]
    }
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    events: Mutex<Vec<Sample>>,
    /// When each was due, and how long after that it was answered.
    requests: Mutex<Vec<(Instant, Option<Duration>)>>,
    /// Up to which all numbers are acked.
    floor: AtomicU64,
    wrong: Mutex<Option<String>>,
}

/// What one of them does until it is over.
type Work = dyn FnOnce(&Arc<Shared>) -> io::Result<()> + Send;

pub struct Bystanders {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    streams: Vec<TcpStream>,
}

impl Bystanders {
    pub fn come(address: SocketAddr, health_only: bool) -> Self {
        let shared = Arc::<Shared>::default();
        let (writer, lobby) = greeted(address);
        let (reader, _) = greeted(address);
        let streams = vec![writer.try_clone().unwrap(), reader.try_clone().unwrap()];
        let hearing = writer.try_clone().unwrap();
        let run = |work: Box<Work>| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let ended = work(&shared);
                if let (Err(error), false) = (ended, shared.over.load(Ordering::SeqCst)) {
                    shared.is_wrong(error.to_string());
                }
            })
        };
        let threads = vec![
            run(Box::new(move |shared| write(shared, writer, lobby))),
            run(Box::new(move |shared| hear(shared, hearing))),
            run(Box::new(move |shared| read(shared, reader))),
            run(Box::new(move |shared| ask(shared, address, health_only))),
        ];
        Self { shared, threads, streams }
    }

    /// How long everything took that was due in this time. All of it has to have come.
    pub fn between(&self, from: Instant, to: Instant) -> Times {
        let deadline = Instant::now() + raw::PATIENCE;
        let due = |due: Instant| due >= from && due < to;
        loop {
            let wrong = self.shared.wrong.lock().unwrap().clone();
            assert_eq!(wrong, None);
            let events = self.shared.events.lock().unwrap().clone();
            let events: Vec<Sample> = events.into_iter().filter(|it| due(it.due)).collect();
            let sorted = |times: Option<Vec<Duration>>| {
                times.map(|mut times| {
                    times.sort();
                    times
                })
            };
            let requests = self.shared.requests.lock().unwrap().clone();
            let requests = requests.into_iter().filter(|it| due(it.0)).map(|it| it.1).collect();
            let acks = sorted(events.iter().map(|it| it.acked).collect());
            let seen = sorted(events.iter().map(|it| it.seen).collect());
            if let (Some(acks), Some(seen), Some(requests)) = (acks, seen, sorted(requests)) {
                return Times { acks, seen, requests };
            }
            assert!(Instant::now() < deadline, "what was due has not come");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bystanders {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for stream in &self.streams {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_wrong(&self, what: String) {
        self.wrong.lock().unwrap().get_or_insert(what);
    }
}

/// Sleeps until each next turn, until it is over.
fn turns(shared: &Shared, every: Duration) -> impl Iterator<Item = Instant> {
    let begin = Instant::now();
    (1..).map_while(move |turn| {
        let due = begin + every * turn;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        (!shared.over.load(Ordering::SeqCst)).then_some(due)
    })
}

fn write(shared: &Shared, mut stream: TcpStream, room: RoomId) -> io::Result<()> {
    let mut n = 0;
    for due in turns(shared, EVENTS) {
        let floor = shared.floor.load(Ordering::SeqCst);
        // Who is honest does not go on for ever without a verdict.
        if n - floor > MOST_WAITING {
            continue;
        }
        n += 1;
        let mut id = raw::fresh();
        id[..8].copy_from_slice(b"numbered");
        id[8..].copy_from_slice(&u64::to_be_bytes(n));
        let head = ClientFrame::Emit(Emit {
            ns: "chat".to_owned(),
            room,
            n,
            floor,
            id: EventId::from_bytes(id),
            kind: "message".to_owned(),
        });
        shared.events.lock().unwrap().push(Sample { due, acked: None, seen: None });
        let text = codec::write_client_with(&head, r#"{"text":"How are you?"}"#);
        stream.write_all(&raw::framed(raw::TEXT, text.as_bytes()))?;
    }
    Ok(())
}

fn hear(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        match next(&mut stream)? {
            ServerFrame::Ack(ack) => {
                let mut events = shared.events.lock().unwrap();
                let event = &mut events[usize::try_from(ack.n).unwrap() - 1];
                event.acked = Some(event.due.elapsed());
                shared.floor.fetch_max(ack.n, Ordering::SeqCst);
            }
            ServerFrame::Retry(_) | ServerFrame::Reject(_) | ServerFrame::Expected(_) => {
                shared.is_wrong("an honest event was not acked".to_owned());
            }
            _ => {}
        }
    }
}

fn read(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    let (mut stream, mut expected) = (BufReader::new(stream), 1);
    loop {
        let ServerFrame::Entries(entries) = next(&mut stream)? else { continue };
        // Who only reads says now and then that it is there.
        if expected % 8 == 0 {
            stream.get_mut().write_all(&raw::framed(raw::PONG, b""))?;
        }
        for entry in entries.entries {
            let Some(n) = entry.id.as_bytes().strip_prefix(b"numbered") else { continue };
            let n = u64::from_be_bytes(n.try_into().unwrap());
            if n != expected {
                shared.is_wrong(format!("{n} was seen where {expected} was expected"));
            }
            expected = n + 1;
            let mut events = shared.events.lock().unwrap();
            let event = &mut events[usize::try_from(n).unwrap() - 1];
            event.seen = Some(event.due.elapsed());
        }
    }
}

/// Each request by a connection and a thread of its own: accepting is measured too, and a late one
/// delays no other.
fn ask(shared: &Arc<Shared>, address: SocketAddr, health_only: bool) -> io::Result<()> {
    let asked = turns(shared, REQUESTS).enumerate().map(|(turn, due)| {
        let shared = Arc::clone(shared);
        shared.requests.lock().unwrap().push((due, None));
        thread::spawn(move || {
            let answer = requested(address, health_only || turn % 2 == 0);
            let ok = |answer: &String| answer.starts_with("HTTP/1.1 20");
            if !answer.as_ref().is_ok_and(ok) && !shared.over.load(Ordering::SeqCst) {
                shared.is_wrong(format!("an honest request was answered by {answer:?}"));
            }
            shared.requests.lock().unwrap()[turn].1 = Some(due.elapsed());
        })
    });
    let asked: Vec<_> = asked.collect();
    for thread in asked {
        let _ = thread.join();
    }
    Ok(())
}

fn requested(address: SocketAddr, health: bool) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(raw::PATIENCE))?;
    let rest = format!("HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    let request = if health {
        format!("GET /healthz {rest}\r\n")
    } else {
        let body = r#"{"type":"message","data":{"text":"Build 1042 is green"}}"#;
        let length = body.len();
        format!(
            "POST /api/v1/chat/rooms/lobby/events {rest}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    };
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A connection of somebody new for whom the lobby is live, and the lobby.
fn greeted(address: SocketAddr) -> (TcpStream, RoomId) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(raw::upgrade(address).as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    stream.write_all(&raw::said(&ClientFrame::Hello(raw::hello()))).unwrap();
    loop {
        if let ServerFrame::Live(live) = next(&mut stream).unwrap() {
            return (stream, live.room);
        }
    }
}

/// The next frame. The WebSocket's own are passed over.
fn next(stream: &mut impl Read) -> io::Result<ServerFrame> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                stream.read_exact(&mut length)?;
                usize::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                stream.read_exact(&mut length)?;
                usize::try_from(u64::from_be_bytes(length)).unwrap()
            }
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload)?;
        if head[0] == raw::CLOSE {
            return Err(io::Error::other(format!("an honest connection was closed: {payload:?}")));
        }
        if head[0] == raw::TEXT {
            let text = String::from_utf8(payload).unwrap();
            return Ok(codec::read_server(&text).unwrap().expect("a frame of this version"));
        }
    }
}
