//! Where lines gather, and the thread that writes them.
//!
//! Every thread that logs has a page of its own and writes its lines there in place; the thread
//! behind takes the pages again and again and writes each with one call. So a line costs the
//! request no allocation, no queue that all threads share, and no system call. Every line has a
//! number, by which they are put in order again: a lockout is never told of before its cause.

use super::line::{Format, Level, Line};
use super::meters::Meters;
use crate::types::Timestamp;
use std::cell::Cell;
use std::io::Write;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// How many threads have a page, and numbers, of their own; further ones share.
pub(super) const SEATS: usize = 16;

/// How much may wait on one page, in bytes: of requests, which anybody can make, and of all.
const MOST_REQUESTS: usize = 4 << 20;
const MOST: usize = 2 * MOST_REQUESTS;

/// The kind of line that is a request's.
pub(super) const REQUEST: &str = "request";

/// A page that has grown beyond this is not kept when it is empty.
const KEPT: usize = 1 << 20;

/// How often the thread looks. It is never woken: waking costs the request a system call.
const PERIOD: Duration = Duration::from_millis(25);

/// What one thread has said and nobody has written yet. Far enough from the next one in memory that
/// two cores do not fight for a line of it.
#[derive(Default)]
#[repr(align(128))]
struct Page {
    lines: Lines,
    /// The moment that all lines of this second begin with.
    stamp: Option<(Timestamp, String)>,
}

/// Lines, and where each ends.
#[derive(Default)]
struct Lines {
    text: String,
    ends: Vec<(u64, usize)>,
}

impl Page {
    fn line(
        &mut self,
        format: Format,
        number: &AtomicU64,
        at: Timestamp,
        level: Level,
        kind: &str,
        fields: impl FnOnce(&mut Line<'_>),
    ) {
        let is_current = self.stamp.as_ref().is_some_and(|(second, _)| *second == at);
        let stamp = self.stamp.take().filter(|_| is_current);
        let (_, stamp) = self.stamp.insert(stamp.unwrap_or_else(|| (at, at.rfc3339())));
        // Whatever became of it, a line that was not finished is none.
        self.lines.text.truncate(self.lines.ends.last().map_or(0, |(_, end)| *end));
        let mut line = Line::begin(format, &mut self.lines.text, stamp, level, kind);
        fields(&mut line);
        line.finish();
        // While the page is in hand: whoever waits for the pages has every line of a lower number.
        let number = number.fetch_add(1, Ordering::SeqCst);
        self.lines.ends.push((number, self.lines.text.len()));
    }
}

struct Shared {
    format: Format,
    pages: [Mutex<Page>; SEATS],
    /// The number of the next line.
    next: AtomicU64,
    dropped: AtomicU64,
    /// How many were dropped in all.
    lost: AtomicU64,
    meters: Meters,
    ends: AtomicBool,
}

impl Shared {
    /// This thread's page; another one in the moment in which this one is being taken away.
    fn page(&self) -> Option<MutexGuard<'_, Page>> {
        let (before, from) = self.pages.split_at(seat());
        from.iter().chain(before).map(Mutex::try_lock).find_map(|tried| match tried {
            Ok(page) => Some(page),
            Err(TryLockError::Poisoned(page)) => Some(page.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// Which page is this thread's.
pub(super) fn seat() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SEAT: Cell<Option<usize>> = const { Cell::new(None) };
    }
    SEAT.with(|seat| {
        let taken = seat.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % SEATS);
        seat.set(Some(taken));
        taken
    })
}

/// Where lines go. Cheap to clone; never blocks.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

/// The thread that writes. Dropping it writes what is left.
pub struct LogThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Starts the thread.
    pub fn start(
        format: Format,
        mut out: impl Write + Send + 'static,
    ) -> std::io::Result<(Self, LogThread)> {
        let shared = Arc::new(Shared {
            format,
            pages: Default::default(),
            next: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            meters: Meters::default(),
            ends: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
            let mut taken = Taken::default();
            loop {
                let ends = of_thread.ends.load(Ordering::Acquire);
                taken.drain(&of_thread, ends, &mut out);
                if ends {
                    break;
                }
                sleep(PERIOD);
            }
        })?;
        Ok((Self(Arc::clone(&shared)), LogThread { shared, thread: Some(thread) }))
    }

    /// Writes a line.
    pub fn line(
        &self,
        at: Timestamp,
        level: Level,
        kind: &str,
        fields: impl FnOnce(&mut Line<'_>),
    ) {
        let most = if kind == REQUEST { MOST_REQUESTS } else { MOST };
        match self.0.page().filter(|page| page.lines.text.len() < most) {
            Some(mut page) => page.line(self.0.format, &self.0.next, at, level, kind, fields),
            None => {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
                self.0.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What is counted of what is told here.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// How many lines were dropped, since they would have had to wait.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Writes a sentence for the operator.
    pub fn say(&self, at: Timestamp, level: Level, message: &str) {
        self.line(at, level, "gateway", |line| line.text("message", message));
    }
}

/// What was taken, and what has to wait for lines of lower numbers.
#[derive(Default)]
struct Taken {
    pages: [Lines; SEATS],
    later: Vec<(u64, String)>,
    batch: String,
}

impl Taken {
    /// Writes everything that waits with one call, and says so if something was dropped. An empty
    /// page stays behind in place of each that is taken.
    fn drain(&mut self, shared: &Shared, is_last: bool, out: &mut impl Write) {
        let next = if is_last { u64::MAX } else { shared.next.load(Ordering::SeqCst) };
        for (page, taken) in shared.pages.iter().zip(&mut self.pages) {
            mem::swap(&mut page.lock().unwrap_or_else(PoisonError::into_inner).lines, taken);
        }
        let later = self.later.iter().map(|(number, line)| (*number, line.as_str()));
        let mut lines: Vec<(u64, &str)> =
            later.chain(self.pages.iter().flat_map(Lines::iter)).collect();
        lines.sort_unstable_by_key(|(number, _)| *number);
        // Said on one page while another one was taken: what was said before may be on that one.
        let now = lines.partition_point(|(number, _)| *number < next);
        let later = lines.drain(now..).map(|(number, line)| (number, line.to_owned())).collect();
        self.batch.extend(lines.into_iter().map(|(_, line)| line));
        self.later = later;
        let dropped = shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let line = format!("{{\"level\":\"warn\",\"kind\":\"log\",\"dropped\":{dropped}}}\n");
            self.batch.push_str(&line);
        }
        if !self.batch.is_empty() {
            // A log that cannot be written has nowhere to say so.
            let _ = out.write_all(self.batch.as_bytes()).and_then(|()| out.flush());
        }
        self.batch.clear();
        self.batch.shrink_to(KEPT);
        self.pages.iter_mut().for_each(Lines::clear);
    }
}

impl Lines {
    fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let begins = [0].into_iter().chain(self.ends.iter().map(|(_, end)| *end));
        let lines = begins.zip(&self.ends);
        lines
            .map(|(begin, (number, end))| (*number, self.text.get(begin..*end).unwrap_or_default()))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.ends.clear();
        self.ends.shrink_to(KEPT / 256);
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::scope;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn everything_said_before_the_end_is_written_whole_and_in_the_order_it_was_said() {
        let sink = Sink::default();
        let (log, thread) = Log::start(Format::Json, sink.clone()).unwrap();
        let said = Mutex::new(0_u64);
        scope(|scope| {
            for _ in 0..SEATS / 2 {
                let (log, said) = (log.clone(), &said);
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        let mut number = said.lock().unwrap();
                        let at = Timestamp::from_secs(*number / 100);
                        log.line(at, Level::Info, "test", |line| line.number("number", *number));
                        *number += 1;
                    }
                });
            }
        });
        drop(thread);
        let text = sink.text();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len() as u64, *said.lock().unwrap());
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line["number"], number);
            assert_eq!(line["time"], Timestamp::from_secs(number as u64 / 100).rfc3339());
        }
    }

    #[test]
    fn what_nobody_writes_is_bounded_and_the_rest_is_counted() {
        let (log, thread) = Log::start(Format::Json, std::io::sink()).unwrap();
        drop(thread);
        let long = "x".repeat(MOST / 8);
        let line = |kind| {
            log.line(Timestamp::from_secs(0), Level::Info, kind, |line| line.text("x", &long));
            log.0.dropped.load(Ordering::Relaxed)
        };
        // Who floods the log with requests does not drown what they are watched by.
        assert_eq!([(); 6].map(|()| line(REQUEST)), [0, 0, 0, 0, 1, 2]);
        assert_eq!([(); 6].map(|()| line("audit")), [2, 2, 2, 2, 3, 4]);
    }
}
