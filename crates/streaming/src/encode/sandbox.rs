//! The only way in which ffmpeg and ffprobe ever run: inside bubblewrap.
//!
//! What a program in here has: the system's libraries and programs read-only, its one input file read-only as `/in/source`, its own
//! empty output folder as `/out` and nothing else to write to, the system calls that decoding needs, threads but no second process, no
//! network, no other processes, no capabilities, no way to make new namespaces, an empty environment, and limits on memory, processor
//! time, what it writes, wall-clock time and silence. Without bubblewrap nothing is decoded at all.

use std::{
    ffi::OsString,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader},
    process::Command,
    sync::{OnceCell, oneshot},
};
use tokio_util::sync::CancellationToken;

use super::{hardware::Hardware, syscalls};

/// What a program finds as its input, and where it writes.
pub const SOURCE: &str = "file:/in/source";
pub const OUTPUT: &str = "/out";

/// The most that is kept of what a program says on its error output (its last words).
const WORDS_BYTES_MAX: usize = 64 << 10;
/// The longest line on standard output; ffprobe's whole answer comes as lines too.
const LINE_BYTES_MAX: u64 = 1 << 20;

const BUBBLEWRAP: &str = "/usr/bin/bwrap";
/// Where systems have ffmpeg and ffprobe.
const PROGRAMS: &str = "/usr/bin";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Ffmpeg,
    Ffprobe,
    /// With the devices of an encoder that an operator asked for.
    HardwareFfmpeg(Hardware),
    /// For what a decoder that was taken over would do.
    #[cfg(test)]
    Shell,
}

impl Program {
    fn path(self, programs: &Path) -> PathBuf {
        match self {
            Self::Ffmpeg | Self::HardwareFfmpeg(_) => programs.join("ffmpeg"),
            Self::Ffprobe => programs.join("ffprobe"),
            #[cfg(test)]
            Self::Shell => "/bin/sh".into(),
        }
    }
}

/// How much a program may take.
#[derive(Debug, Clone)]
pub struct Limits {
    pub wall: Duration,
    /// How long it may say nothing on its standard output.
    pub silence: Duration,
    pub cpu_s: u64,
    /// Of address space.
    pub memory_bytes: u64,
    /// Of what it writes, all files together.
    pub output_bytes: u64,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Task {
    pub program: Program,
    pub arguments: Vec<OsString>,
    pub input: PathBuf,
    pub output: Option<PathBuf>,
    pub limits: Limits,
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit status; 128 + n when signal n ended it.
    pub status: i32,
    /// Its last words.
    pub words: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("{0}")]
    Unavailable(String),
    #[error("the sandbox (bubblewrap) does not start on the server, and without it nothing is decoded: {}", .0.words.trim())]
    DoesNotStart(Ended),
    #[error("stopped")]
    Cancelled,
    #[error("took longer than {0} s")]
    TooLong(u64),
    #[error("made no progress for {0} s")]
    Silent(u64),
    #[error("wrote more than it may")]
    TooMuch,
    #[error("could not be run: {0}")]
    Io(#[from] std::io::Error),
}

/// Builds and runs sandboxed commands. Whether it works here is tried once, at the first use.
pub struct Sandbox {
    bubblewrap: PathBuf,
    programs: PathBuf,
    works: OnceCell<()>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::with(BUBBLEWRAP)
    }
}

impl Sandbox {
    /// With a bubblewrap of one's own.
    pub fn with(bubblewrap: impl Into<PathBuf>) -> Self {
        Self {
            bubblewrap: bubblewrap.into(),
            programs: PROGRAMS.into(),
            works: OnceCell::new(),
        }
    }

    /// With ffmpeg and ffprobe from a folder of one's own.
    pub fn of(programs: PathBuf) -> Self {
        Self {
            programs,
            ..Self::default()
        }
    }

    /// Whether programs can be run here. A failure is looked at again the next time: somebody may have mended it.
    pub async fn check(&self) -> Result<(), SandboxError> {
        self.works.get_or_try_init(|| self.try_out()).await.map(drop)
    }

    async fn try_out(&self) -> Result<(), SandboxError> {
        let missing = |program: &Path, package: &str| {
            let name = program.display();
            SandboxError::Unavailable(format!(
                "{name} is not installed on the server (apt-get install {package})"
            ))
        };
        for (program, package) in [
            (self.bubblewrap.as_path(), "bubblewrap"),
            (Path::new("/usr/bin/prlimit"), "util-linux"),
        ] {
            if !program.exists() {
                return Err(missing(program, package));
            }
        }
        for program in [Program::Ffmpeg, Program::Ffprobe] {
            let path = program.path(&self.programs);
            if !path.exists() {
                return Err(missing(&path, "ffmpeg"));
            }
        }
        let limits = Limits {
            // Silence comes first: on a machine that is busy beyond measure it is looked at again later.
            wall: Duration::from_secs(60),
            silence: Duration::from_secs(20),
            cpu_s: 10,
            memory_bytes: 4 << 30,
            output_bytes: 0,
        };
        let task = Task {
            program: Program::Ffmpeg,
            arguments: vec!["-v".into(), "error".into(), "-version".into()],
            input: "/dev/null".into(),
            output: None,
            limits,
        };
        let ended = self.spawn(task, CancellationToken::new(), |_| {}).await?;
        if ended.status != 0 {
            return Err(SandboxError::DoesNotStart(ended));
        }
        Ok(())
    }

    /// Runs to the end, or until `cancel`. Every line of standard output goes to `on_line`.
    pub async fn run(
        &self,
        task: Task,
        cancel: CancellationToken,
        on_line: impl FnMut(&str) + Send + 'static,
    ) -> Result<Ended, SandboxError> {
        self.check().await?;
        self.spawn(task, cancel, on_line).await
    }

    /// On a thread of its own: bubblewrap is told to die with the thread that started it, and a thread of the runtime's pool may
    /// go at any time.
    async fn spawn(
        &self,
        task: Task,
        cancel: CancellationToken,
        on_line: impl FnMut(&str) + Send + 'static,
    ) -> Result<Ended, SandboxError> {
        // Open until the program has been started: it is handed over by number.
        let filter = syscalls::filter()?;
        let command = self.command(&task, filter.as_ref());
        // Dropping the caller's future stops the program as well.
        let cancel = cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let (answer, answered) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("sandbox".into()).spawn(move || {
            let ended = runtime.block_on(watch(command, &task, cancel, on_line));
            drop(filter);
            // Nobody is waiting any more: the program is gone all the same.
            answer.send(ended).ok();
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(std::io::Error::other("the sandbox's thread panicked").into()))
    }

    fn command(&self, task: &Task, filter: Option<&OwnedFd>) -> Command {
        let limits = &task.limits;
        let memory = match task.program {
            // CUDA reserves addresses for all the memory of the machine and of its cards before it does anything.
            Program::HardwareFfmpeg(Hardware::Nvenc) => "unlimited".to_owned(),
            _ => limits.memory_bytes.to_string(),
        };
        let mut command = Command::new("/usr/bin/prlimit");
        command
            .arg(format!("--as={memory}"))
            .arg(format!("--cpu={}:{}", limits.cpu_s, limits.cpu_s + 5))
            .arg(format!("--fsize={}", limits.output_bytes))
            .args(["--core=0", "--nofile=256", "--", "/usr/bin/nice", "-n", "10"])
            .arg(&self.bubblewrap)
            .args([
                "--unshare-user",
                "--unshare-ipc",
                "--unshare-pid",
                "--unshare-net",
                "--unshare-uts",
                "--unshare-cgroup-try",
            ])
            .args([
                "--disable-userns",
                "--uid",
                "65534",
                "--gid",
                "65534",
                "--hostname",
                "sandbox",
                "--cap-drop",
                "ALL",
            ])
            .args([
                "--die-with-parent",
                "--new-session",
                "--clearenv",
                "--setenv",
                "PATH",
                "/usr/bin",
                "--setenv",
                "LC_ALL",
                "C",
            ]);
        files(&mut command, task);
        if let Some(filter) = filter {
            command.arg("--seccomp").arg(filter.as_raw_fd().to_string());
        }
        command
            .args(["--chdir", "/", "--"])
            .arg(task.program.path(&self.programs))
            .args(&task.arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env_clear().kill_on_drop(true);
        command
    }
}

/// What there is to see and to write.
fn files(command: &mut Command, task: &Task) {
    command.args([
        "--ro-bind",
        "/usr",
        "/usr",
        "--ro-bind-try",
        "/etc/alternatives",
        "/etc/alternatives",
    ]);
    for folder in ["/lib", "/lib64", "/bin"] {
        system_folder(command, folder);
    }
    command
        .args(["--proc", "/proc", "--dev", "/dev", "--ro-bind"])
        .arg(&task.input)
        .arg("/in/source");
    if let Some(output) = &task.output {
        command.arg("--bind").arg(output).arg(OUTPUT);
    }
    if let Program::HardwareFfmpeg(hardware) = task.program {
        // Drivers look up what kind of card it is.
        command.args(["--ro-bind", "/sys", "/sys"]);
        for device in hardware.devices() {
            command.arg("--dev-bind").arg(&device).arg(&device);
        }
    }
    // What is left to write is memory that no limit counts, and, to a server that runs as root, the kernel's own settings:
    // whom bubblewrap made nobody in here is still root to those.
    for folder in ["/proc", "/dev", "/"] {
        command.args(["--remount-ro", folder]);
    }
}

/// Where `/lib` is a link into `/usr` it is one inside too.
fn system_folder(command: &mut Command, folder: &str) {
    match std::fs::read_link(folder) {
        Ok(goal) => command.arg("--symlink").arg(goal).arg(folder),
        Err(_) => command.args(["--ro-bind-try", folder, folder]),
    };
}

/// How often it is looked at how much was written, and how many files there may be: a few renditions, each one file.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const FILES_MAX: usize = 64;

/// Ends once there is more in the output folder than may be.
async fn overflow(task: &Task) {
    let Some(output) = &task.output else {
        return std::future::pending().await;
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let (files, bytes) = written(output);
        if files > FILES_MAX || bytes > task.limits.output_bytes {
            return;
        }
    }
}

/// How many files there are and what they take of the disk. Below the folder there is nothing: no folder can be made in it.
fn written(folder: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let on_disk = |entry: std::fs::DirEntry| entry.metadata().map_or(0, |meta| meta.blocks() * 512);
    entries
        .take(FILES_MAX + 1)
        .fold((0, 0), |(files, bytes), entry| (files + 1, bytes + on_disk(entry)))
}

/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(10);

async fn watch(
    mut command: Command,
    task: &Task,
    cancel: CancellationToken,
    on_line: impl FnMut(&str),
) -> Result<Ended, SandboxError> {
    let limits = &task.limits;
    let mut child = command.spawn()?;
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(std::io::Error::other("no pipes to the program").into());
    };
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(SandboxError::Cancelled),
        () = tokio::time::sleep(limits.wall) => Err(SandboxError::TooLong(limits.wall.as_secs())),
        () = overflow(task) => Err(SandboxError::TooMuch),
        ended = follow(&mut child, &mut stdout, &mut stderr, limits.silence, on_line) => ended,
    };
    if ended.is_err() {
        child.kill().await.ok();
        // Everything inside dies with the sandbox's first process, a moment later: the pipe ends when the last of it is gone.
        tokio::time::timeout(GONE, tokio::io::copy(&mut stdout, &mut tokio::io::sink()))
            .await
            .ok();
    }
    ended
}

async fn follow(
    child: &mut tokio::process::Child,
    stdout: impl AsyncRead + Unpin,
    stderr: impl AsyncRead + Unpin,
    silence: Duration,
    on_line: impl FnMut(&str),
) -> Result<Ended, SandboxError> {
    let ((), words) = tokio::try_join!(read_lines(stdout, silence, on_line), last_words(stderr))?;
    let status = child.wait().await?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0);
    Ok(Ended {
        status: status.code().unwrap_or(128 + signal),
        words,
    })
}

async fn read_lines(
    stdout: impl AsyncRead + Unpin,
    silence: Duration,
    mut on_line: impl FnMut(&str),
) -> Result<(), SandboxError> {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(LINE_BYTES_MAX);
        let Ok(read) = tokio::time::timeout(silence, limited.read_until(b'\n', &mut line)).await else {
            return Err(SandboxError::Silent(silence.as_secs()));
        };
        if read? == 0 {
            return Ok(());
        }
        on_line(String::from_utf8_lossy(&line).trim_end());
    }
}

async fn last_words(mut stderr: impl AsyncRead + Unpin) -> Result<String, SandboxError> {
    let mut words = Vec::new();
    let mut buffer = vec![0; 8 << 10];
    loop {
        let read = stderr.read(&mut buffer).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&words).into_owned());
        }
        words.extend_from_slice(&buffer[..read]);
        if words.len() > 2 * WORDS_BYTES_MAX {
            words.drain(..words.len() - WORDS_BYTES_MAX);
        }
    }
}
