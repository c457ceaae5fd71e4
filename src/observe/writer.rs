//! The queue and the thread behind it.

use super::line::{Format, Level, Line};
use crate::types::Timestamp;
use crossbeam_queue::ArrayQueue;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// Lines that may wait to be written.
const CAPACITY: usize = 16_384;

/// How often the thread looks. It is never woken: waking costs the request a system call.
const PERIOD: Duration = Duration::from_millis(25);

struct Shared {
    format: Format,
    lines: ArrayQueue<String>,
    dropped: AtomicU64,
    ends: AtomicBool,
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
            lines: ArrayQueue::new(CAPACITY),
            dropped: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
            loop {
                let ends = of_thread.ends.load(Ordering::Acquire);
                drain(&of_thread, &mut out);
                if ends {
                    break;
                }
                sleep(PERIOD);
            }
        })?;
        Ok((Self(Arc::clone(&shared)), LogThread { shared, thread: Some(thread) }))
    }

    /// Writes a line.
    pub fn line(&self, at: Timestamp, level: Level, kind: &str, fields: impl FnOnce(&mut Line)) {
        let mut line = Line::begin(self.0.format, at, level, kind);
        fields(&mut line);
        if self.0.lines.push(line.finish()).is_err() {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a sentence for the operator.
    pub fn say(&self, at: Timestamp, level: Level, message: &str) {
        self.line(at, level, "gateway", |line| line.text("message", message));
    }
}

/// Writes everything that waits with one call, and says so if something was dropped.
fn drain(shared: &Shared, out: &mut impl Write) {
    let mut batch = Vec::new();
    while let Some(line) = shared.lines.pop() {
        batch.extend_from_slice(line.as_bytes());
    }
    let dropped = shared.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        batch.extend_from_slice(
            format!("{{\"level\":\"warn\",\"kind\":\"log\",\"dropped\":{dropped}}}\n").as_bytes(),
        );
    }
    // A log that cannot be written has nowhere to say so.
    let _ = out.write_all(&batch).and_then(|()| out.flush());
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
    use std::sync::Mutex;

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

    #[test]
    fn everything_said_before_the_end_is_written() {
        let sink = Sink::default();
        let (log, thread) = Log::start(Format::Json, sink.clone()).unwrap();
        for _ in 0..100 {
            log.say(Timestamp::from_secs(0), Level::Info, "hello");
        }
        drop(thread);
        assert_eq!(String::from_utf8_lossy(&sink.0.lock().unwrap()).lines().count(), 100);
    }
}
