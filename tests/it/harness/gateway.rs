//! The real binary, started, asked and killed.

use super::http::{PATIENCE, read_reply};
use super::temp::TempDir;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// How a gateway is started.
#[derive(Clone, Default)]
pub struct Options {
    /// Lines of configuration besides those the harness writes: whole sections.
    pub config: String,
    /// Keys for `[server]`, which the harness writes itself.
    pub server: String,
    /// A whole configuration in place of the harness's own, with 8080 for the port.
    pub whole: Option<String>,
    /// Further arguments.
    pub args: Vec<String>,
    /// Further environment.
    pub env: Vec<(String, String)>,
    /// How many files and sockets it may have open, where that is not what the system allows.
    pub files: Option<u32>,
    /// A socket that a supervisor holds for it, and its address.
    pub held: Option<Arc<TcpListener>>,
}

impl Options {
    /// One app for every host.
    pub fn upstream(url: &str) -> Self {
        Self { args: vec!["--upstream".into(), url.into()], ..Self::default() }
    }

    /// Sections of configuration.
    pub fn config(mut self, text: &str) -> Self {
        self.config.push_str(text);
        self
    }
}

/// A running gateway, killed when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub data: Arc<TempDir>,
    options: Options,
    child: Child,
    stdout: Lines,
    stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

type Lines = Arc<Said>;

/// What was said so far, for whoever waits to hear something.
#[derive(Default)]
struct Said {
    text: Mutex<String>,
    more: Condvar,
}

impl Said {
    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

/// An address nobody listens on, never given twice. From below the range in which the system
/// chooses ports by itself, so that no test's own socket takes it meanwhile.
pub fn free_port() -> SocketAddr {
    const PORTS: std::ops::Range<u32> = 10_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Several runs at once begin at different places.
        let turn =
            std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + turn % (PORTS.end - PORTS.start);
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Runs the binary to its end.
pub fn run(args: &[&str], stdin: &str) -> Output {
    finish(Command::new(env!("CARGO_BIN_EXE_vestibule")).args(args), stdin)
}

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_vestibule"))
}

/// The same process, once a shell has taken most of its files away.
fn binary_with_few_files(files: u32) -> Command {
    let mut command = Command::new("sh");
    let limit = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
    command.args(["-c", &limit, env!("CARGO_BIN_EXE_vestibule")]);
    command
}

/// The same process, once a shell has handed it a socket as systemd does.
fn supervised(held: &TcpListener) -> Command {
    let mut command = Command::new("sh");
    let hand = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    command.args(["-c", hand, env!("CARGO_BIN_EXE_vestibule")]);
    command.stdin(Stdio::from(OwnedFd::from(held.try_clone().unwrap())));
    command
}

fn finish(command: &mut Command, stdin: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that fails early does not read what it is told.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

impl Gateway {
    /// Starts one on a new folder, cheap to hash for.
    pub fn start(options: Options) -> Self {
        Self::on(Arc::new(TempDir::new()), options)
    }

    /// Starts one on a folder that is there.
    pub fn on(data: Arc<TempDir>, options: Options) -> Self {
        Self::try_on(data, options)
            .unwrap_or_else(|log| panic!("the gateway did not start:\n{log}"))
    }

    /// As [`Gateway::on`]; what it said, where it does not start.
    pub fn try_on(data: Arc<TempDir>, options: Options) -> Result<Self, String> {
        Self::or_refusal(data, options).map_err(|(_, log)| log)
    }

    /// As [`Gateway::on`]; its exit code and what it said, where it does not start.
    pub fn or_refusal(data: Arc<TempDir>, options: Options) -> Result<Self, (Option<i32>, String)> {
        let held = options.held.as_ref().map(|held| held.local_addr().unwrap());
        let address = held.unwrap_or_else(free_port);
        let config = data.join("config.toml");
        std::fs::write(&config, configuration(data.path(), address, &options)).unwrap();
        let mut command = match &options.held {
            Some(held) => supervised(held),
            None => options.files.map_or_else(binary, binary_with_few_files),
        };
        command.arg("serve").arg("--config").arg(&config).args(&options.args);
        // Everybody in these tests comes from one address; those about rates set their own.
        command.env("VESTIBULE_LIMITS__LOGIN_PER_IP", "100000/1m");
        command.env("VESTIBULE_LIMITS__LOGIN_PER_ACCOUNT", "100000/1m");
        // One after the other over the same connection to an app, unless a test asks for more:
        // every worker keeps connections of its own.
        command.env("VESTIBULE_SERVER__WORKERS", "1");
        command.envs(options.env.iter().map(|(name, value)| (name, value)));
        if options.held.is_none() {
            command.stdin(Stdio::null());
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, said, reader) = collect(child.stdout.take().unwrap());
        let (stderr, lines, of_stderr) = collect(child.stderr.take().unwrap());
        let readers = vec![reader, of_stderr];
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(r#""message":"ready""#) => break,
                Ok(_) => {}
                Err(why) => {
                    if why == RecvTimeoutError::Timeout {
                        let _ = child.kill();
                    }
                    let code = child.wait().unwrap().code();
                    return Err((code, stderr.so_far()));
                }
            }
        }
        // It has said all it says by now, though the reader may be behind.
        while !said.recv_timeout(PATIENCE).unwrap().starts_with("Stop it with") {}
        Ok(Self { address, data, options, child, stdout, stderr, readers })
    }

    /// Writes another configuration file in place of the one it was started with.
    pub fn rewrite(&self, options: &Options) {
        self.write_config(&configuration(self.data.path(), self.address, options));
    }

    /// Writes this as its configuration file, whole from one moment to the next.
    pub fn write_config(&self, text: &str) {
        let draft = self.data.join("config.toml.new");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, self.data.join("config.toml")).unwrap();
    }

    /// The configuration file that these options make.
    pub fn config_of(&self, options: &Options) -> String {
        configuration(self.data.path(), self.address, options)
    }

    /// Writes another configuration file, tells it to reload, and waits until it has.
    pub fn reload(&self, options: &Options) {
        self.rewrite(options);
        self.hangup("reloaded: ");
    }

    /// Tells it to reload, and waits until it has said this once more.
    pub fn hangup(&self, says: &str) {
        let times = self.log().matches(says).count();
        self.signal("-HUP");
        self.hear_times(says, times + 1);
    }

    /// Runs a command against its folder.
    pub fn command(&self, args: &[&str]) -> Output {
        self.command_with(args, "")
    }

    /// Runs a command that reads something.
    pub fn command_with(&self, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        finish(command.args(args).arg("--config").arg(self.data.join("config.toml")), stdin)
    }

    /// Runs a command that has to work; what it printed as JSON.
    pub fn json(&self, args: &[&str], stdin: &str) -> serde_json::Value {
        let mut args = args.to_vec();
        args.push("--json");
        let output = self.command_with(&args, stdin);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Asks it something over its administration socket, faster than a command does.
    pub fn ask(&self, request: &serde_json::Value) -> serde_json::Value {
        let mut stream = UnixStream::connect(self.data.join("data/admin.sock")).unwrap();
        let body = request.to_string();
        let length = body.len();
        let head = "POST /administer HTTP/1.1\r\nHost: vestibule\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let reply = read_reply(&mut BufReader::new(stream), false);
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// What it has said to whoever started it.
    pub fn greeting(&self) -> String {
        self.stdout.so_far()
    }

    /// Stops it as an operator does; everything it has logged, to the last line.
    pub fn log_to_its_end(mut self) -> String {
        self.stop();
        self.log()
    }

    /// Stops it as an operator does, and waits until everything it said has been read.
    pub fn stop(&mut self) {
        self.terminate();
        assert_eq!(self.wait(), Some(0), "{}", self.log());
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until it has logged this.
    pub fn hear(&self, wanted: &str) {
        self.hear_times(wanted, 1);
    }

    /// Waits until it has logged this so many times.
    pub fn hear_times(&self, wanted: &str, times: usize) {
        let unheard = |text: &mut String| text.matches(wanted).count() < times;
        let text = self.stderr.text.lock().unwrap();
        let (text, waited) = self.stderr.more.wait_timeout_while(text, PATIENCE, unheard).unwrap();
        assert!(!waited.timed_out(), "never heard {wanted:?} in:\n{text}");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How much memory it has, in KiB.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Kills it with no chance to tidy up, and starts it again on the same folder.
    pub fn kill_and_restart(mut self) -> Self {
        self.kill();
        Self::on(Arc::clone(&self.data), self.options.clone())
    }

    /// Kills it with no chance to tidy up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends a signal, while others may be talking to it.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended by itself; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configuration(data: &Path, address: SocketAddr, options: &Options) -> String {
    let (data, server, more) = (data.join("data"), &options.server, &options.config);
    let data = data.display();
    if let Some(whole) = &options.whole {
        let whole = whole.replace("8080", &address.port().to_string()).replace(":9180", ":0");
        return format!("data_dir = \"{data}\"\n{whole}");
    }
    format!(
        "data_dir = \"{data}\"\n[server]\nlisten = [\"{address}\"]\nadmin_listen = \"\"\n{server}\n{more}\n"
    )
}

/// Reads lines on a thread, into a text and into a channel.
fn collect(
    stream: impl std::io::Read + Send + 'static,
) -> (Lines, Receiver<String>, JoinHandle<()>) {
    let (lines, (sender, receiver)) = (Lines::default(), channel());
    let of_thread = Arc::clone(&lines);
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = of_thread.text.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
            drop(text);
            of_thread.more.notify_all();
            // The test may have stopped listening.
            let _ = sender.send(line);
        }
    });
    (lines, receiver, reader)
}
