//! Starts the shared PostgreSQL of this machine's tests, once.
//!
//! Every test process holds a shared lock on `users` while it lives; the kernel lets go of it when the process ends,
//! however it ends. A watchdog beside the server stops it when it has got that lock alone for a while.

use std::{
    fs::{self, File},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Kept for the life of the process.
struct Server {
    url: String,
    _users: File,
}

/// Where Debian's packages put each version.
const VERSIONS_FOLDER: &str = "/usr/lib/postgresql";
const HELP: &str = "the tests need PostgreSQL's server programs: apt-get install -y postgresql";
const PORT: u16 = 5432;

/// The URL of a running server, which stays up while this process lives.
pub(super) fn url() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER
        .get_or_init(|| start().unwrap_or_else(|error| panic!("PostgreSQL for tests: {error}")))
        .url
        .clone()
}

fn start() -> Result<Server, String> {
    let programs = programs()?;
    let folder = std::env::temp_dir().join(format!("kinora-test-postgres-{}", own_user()?));
    let text = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(text)?;
    let users = File::create(folder.join("users")).map_err(text)?;
    users.lock_shared().map_err(text)?;
    let starting = File::create(folder.join("starting")).map_err(text)?;
    starting.lock().map_err(text)?;
    if UnixStream::connect(folder.join(format!(".s.PGSQL.{PORT}"))).is_err() {
        create_and_start(&programs, &folder)?;
        watch(&programs, &folder)?;
    }
    let url = format!(
        "postgres://postgres@localhost:{PORT}/postgres?host={}",
        folder.display()
    );
    Ok(Server { url, _users: users })
}

fn create_and_start(programs: &Path, folder: &Path) -> Result<(), String> {
    let data = folder.join("data");
    fs::remove_dir_all(&data).ok();
    if is_root() {
        // Its socket goes there, and nobody else's files.
        run(Command::new("chown").arg("postgres").arg(folder))?;
    }
    let mut initdb = as_server_user(&programs.join("initdb"));
    initdb
        .args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "-D",
        ])
        .arg(&data);
    run(&mut initdb)?;
    // Nothing here outlives the tests, so nothing is synced to disk.
    let options = format!(
        "-c listen_addresses='' -c unix_socket_directories='{}' -c port={PORT} -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c max_connections=500 -c shared_buffers=64MB -c autovacuum=off -c max_wal_size=256MB",
        folder.display()
    );
    let mut start = as_server_user(&programs.join("pg_ctl"));
    start
        .args(["start", "-w", "-t", "60", "-D"])
        .arg(&data)
        .arg("-o")
        .arg(options)
        .arg("-l")
        .arg(data.join("log"));
    run(&mut start)
}

/// A process of its own that stops the server once no test process has been there for half a minute.
fn watch(programs: &Path, folder: &Path) -> Result<(), String> {
    const SCRIPT: &str = r#"
        idle=0
        while [ -S "$FOLDER/.s.PGSQL.$PORT" ]; do
            sleep 2
            if flock -n -x "$FOLDER/users" true; then idle=$((idle + 1)); else idle=0; fi
            [ "$idle" -ge 15 ] && flock -n -x "$FOLDER/users" "$PROGRAMS/pg_ctl" stop -m immediate -D "$FOLDER/data" && break
        done
        exit 0
    "#;
    let mut script = as_server_user(Path::new("/bin/sh"));
    script
        .arg("-c")
        .arg(SCRIPT)
        .env("FOLDER", folder)
        .env("PORT", PORT.to_string())
        .env("PROGRAMS", programs);
    script.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut script, 0);
    script
        .spawn()
        .map(drop)
        .map_err(|error| format!("starting the watchdog: {error}"))
}

/// PostgreSQL refuses to run as root; Debian's package brings a user for it.
fn as_server_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    // The server inherits what pg_ctl has open: give it nothing that a test runner would wait for.
    let log = tempfile::tempfile().map_err(|error| error.to_string())?;
    let output = || log.try_clone().map(Stdio::from).map_err(|error| error.to_string());
    command.stdin(Stdio::null()).stdout(output()?).stderr(output()?);
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    let mut log = log;
    std::io::Seek::rewind(&mut log)
        .and_then(|()| std::io::Read::read_to_string(&mut log, &mut text))
        .ok();
    Err(format!("{command:?} ended with {status}: {text}"))
}

/// The newest version installed.
fn programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir(VERSIONS_FOLDER).map_err(|_| HELP.to_owned())?;
    let installed = versions.flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let programs = entry.path().join("bin");
        programs.join("initdb").exists().then_some((version, programs))
    });
    installed
        .max()
        .map(|(_, programs)| programs)
        .ok_or_else(|| HELP.to_owned())
}

fn is_root() -> bool {
    own_user().is_ok_and(|user| user == 0)
}

fn own_user() -> Result<u32, String> {
    let status = fs::metadata("/proc/self").map_err(|error| error.to_string())?;
    Ok(std::os::unix::fs::MetadataExt::uid(&status))
}
