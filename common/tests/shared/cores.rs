//! Work on every core.

use std::sync::Mutex;

/// Does something with each of many things, on every core; what comes of it is in no order.
pub fn on_every_core<T: Send, R: Send>(
    things: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let things = Mutex::new(things);
    let next = || things.lock().expect("nobody panics with it").next();
    let worker = || std::iter::from_fn(next).map(&work).collect::<Vec<R>>();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let done = workers.into_iter().map(|it| it.join().expect("runs catch their panics"));
        done.flatten().collect()
    })
}
