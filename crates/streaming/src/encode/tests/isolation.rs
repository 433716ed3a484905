//! What a decoder that was taken over could do: nothing outside its folder, nothing on the network, nothing for ever.

use std::{
    ffi::OsString,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::encode::{
    explain,
    sandbox::{Ended, Limits, Program, Sandbox, SandboxError, Task},
};

fn task(arguments: &[&str], input: &Path, output: Option<&Path>) -> Task {
    let minute = Duration::from_secs(60);
    Task {
        program: Program::Ffmpeg,
        arguments: ["-v", "error", "-nostdin"]
            .iter()
            .chain(arguments)
            .map(OsString::from)
            .collect(),
        input: input.to_owned(),
        output: output.map(Path::to_owned),
        limits: Limits {
            wall: minute,
            silence: minute,
            cpu_s: 60,
            memory_bytes: 4 << 30,
            output_bytes: 1 << 20,
        },
    }
}

async fn run(task: Task) -> Result<Ended, SandboxError> {
    Sandbox::default().run(task, CancellationToken::new(), |_| {}).await
}

async fn fails(arguments: &[&str], input: &str, output: Option<&Path>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, input).unwrap();
    let ended = run(task(arguments, &source, output)).await.unwrap();
    assert_ne!(ended.status, 0, "{arguments:?}");
    ended.words
}

#[tokio::test]
async fn no_file_of_the_machine_can_be_read() {
    let secret = tempfile::tempdir().unwrap();
    let path = secret.path().join("secret.wav");
    std::fs::write(&path, "secret").unwrap();
    let path = path.to_string_lossy().into_owned();
    let out = tempfile::tempdir().unwrap();
    for name in [path.as_str(), "/etc/passwd", "/etc/shadow", "/root", "/home"] {
        // Straight, and by way of what is in the file: with ffmpeg's own safety taken off.
        let words = fails(
            &["-f", "s16le", "-i", name, "-c", "copy", "-f", "s16le", "/out/x"],
            "",
            Some(out.path()),
        )
        .await;
        assert!(
            words.contains("No such file") || words.contains("Permission denied") || words.contains("Is a directory"),
            "{name}: {words}"
        );
        let list = format!("ffconcat version 1.0\nfile '{name}'\n");
        fails(
            &[
                "-safe",
                "0",
                "-f",
                "concat",
                "-i",
                "/in/source",
                "-c",
                "copy",
                "-f",
                "s16le",
                "/out/x",
            ],
            &list,
            Some(out.path()),
        )
        .await;
        let playlist = format!("#EXTM3U\n#EXTINF:1,\nfile://{name}\n#EXT-X-ENDLIST\n");
        let hls = [
            "-allowed_extensions",
            "ALL",
            "-protocol_whitelist",
            "file",
            "-f",
            "hls",
            "-i",
            "/in/source",
            "-c",
            "copy",
            "-f",
            "mpegts",
            "/out/y",
        ];
        fails(&hls, &playlist, Some(out.path())).await;
    }
    no_environment_leaks(out.path()).await;
    let leaked: Vec<_> = std::fs::read_dir(out.path())
        .unwrap()
        .flatten()
        .filter(|file| file.metadata().unwrap().len() > 0)
        .collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}

/// The first process of its world is the sandbox's own, with an empty environment.
async fn no_environment_leaks(out: &Path) {
    let environment = [
        "-f",
        "s16le",
        "-i",
        "/proc/1/environ",
        "-c",
        "copy",
        "-f",
        "s16le",
        "/out/x",
    ];
    run(task(&environment, Path::new("/dev/null"), Some(out)))
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_can_be_written_but_in_its_own_folder() {
    let out = tempfile::tempdir().unwrap();
    let tone = ["-f", "lavfi", "-i", "sine=duration=0.1", "-y", "-f", "wav"];
    let setting = || std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let set_before = setting();
    for target in [
        "/in/source",
        "/usr/bin/x.wav",
        "/etc/x.wav",
        "/x.wav",
        "/out/../x.wav",
        "/tmp/x.wav",
        "/dev/x.wav",
        "/dev/shm/x.wav",
        "/in/x.wav",
        "/proc/sys/kernel/core_pattern",
    ] {
        let before = Path::new(target).exists();
        let mut arguments = tone.to_vec();
        arguments.push(target);
        let ended = run(task(&arguments, Path::new("/dev/null"), Some(out.path())))
            .await
            .unwrap();
        // Not even memory: what lies there is limited by nothing.
        assert_eq!(Path::new(target).exists(), before, "{target}");
        assert_ne!(ended.status, 0, "{target}");
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    assert_eq!(setting(), set_before);
}

#[tokio::test]
async fn it_runs_without_privileges_and_with_filtered_system_calls() {
    let out = tempfile::tempdir().unwrap();
    let status = [
        "-f",
        "s16le",
        "-i",
        "/proc/self/status",
        "-c",
        "copy",
        "-f",
        "s16le",
        "/out/status",
    ];
    let ended = run(task(&status, Path::new("/dev/null"), Some(out.path())))
        .await
        .unwrap();
    assert_eq!(ended.status, 0, "{ended:?}");
    let status = std::fs::read_to_string(out.path().join("status")).unwrap();
    for line in [
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "Uid:\t65534\t65534",
    ] {
        assert!(status.contains(line), "{line} in {status}");
    }
}

#[tokio::test]
async fn there_is_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    for url in [
        format!("http://{address}/x.ts"),
        format!("tcp://{address}"),
        "http://192.0.2.1/x.ts".into(),
        "udp://127.0.0.1:9".into(),
    ] {
        let started = Instant::now();
        let words = fails(
            &[
                "-rw_timeout",
                "2000000",
                "-timeout",
                "2000000",
                "-i",
                &url,
                "-f",
                "null",
                "-",
            ],
            "",
            None,
        )
        .await;
        assert!(started.elapsed() < Duration::from_secs(20), "{url}: {words}");
        // Not even a socket can be made.
        assert!(words.contains("Operation not permitted"), "{url}: {words}");
        let playlist = format!("#EXTM3U\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n");
        fails(
            &[
                "-protocol_whitelist",
                "file,http,tcp,udp",
                "-f",
                "hls",
                "-i",
                "/in/source",
                "-f",
                "null",
                "-",
            ],
            &playlist,
            None,
        )
        .await;
    }
    assert!(listener.accept().is_err(), "somebody called");
}

#[tokio::test]
async fn memory_file_size_and_time_have_ends() {
    let null = Path::new("/dev/null");
    let large = [
        "-f",
        "lavfi",
        "-i",
        "color=size=64x64:duration=0.1",
        "-vf",
        "scale=16000:16000,format=rgb48le",
        "-f",
        "null",
        "-",
    ];
    let mut hungry = task(&large, null, None);
    hungry.limits.memory_bytes = 600 << 20;
    let ended = run(hungry).await.unwrap();
    assert_ne!(ended.status, 0);
    assert!(
        explain::encoding(&ended)
            .text
            .starts_with("The encoder needed more memory than the server allows."),
        "{ended:?}"
    );

    let out = tempfile::tempdir().unwrap();
    let endless = ["-f", "lavfi", "-i", "sine", "-f", "wav", "/out/x.wav"];
    let ended = run(task(&endless, null, Some(out.path()))).await.unwrap();
    assert!(
        explain::encoding(&ended)
            .text
            .starts_with("The encoded video is larger"),
        "{ended:?}"
    );
    assert!(out.path().join("x.wav").metadata().unwrap().len() <= 1 << 20);

    let endless = [
        "-re",
        "-f",
        "lavfi",
        "-i",
        "sine",
        "-progress",
        "pipe:1",
        "-stats_period",
        "0.1",
        "-f",
        "null",
        "-",
    ];
    let mut slow = task(&endless, null, None);
    slow.limits.wall = Duration::from_secs(1);
    assert!(matches!(run(slow).await, Err(SandboxError::TooLong(1))));

    let mut silent = task(&["-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-"], null, None);
    silent.limits.silence = Duration::from_secs(1);
    assert!(matches!(run(silent).await, Err(SandboxError::Silent(1))));

    let mut busy = task(
        &["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "null", "-"],
        null,
        None,
    );
    busy.limits.cpu_s = 1;
    let ended = run(busy).await.unwrap();
    assert!(explain::encoding(&ended).text.contains("processor time"), "{ended:?}");
}

fn shell(script: &str, output: Option<&Path>) -> Task {
    let mut task = task(&[], Path::new("/dev/null"), output);
    task.program = Program::Shell;
    task.arguments = ["-c", script].map(OsString::from).into();
    task
}

#[tokio::test]
async fn no_process_can_be_begun_beside_it() {
    // The limits are a process's own: two of them would have twice as much.
    let ended = run(shell("/bin/true & wait; echo went on", None)).await.unwrap();
    assert_ne!(ended.status, 0, "{ended:?}");
    assert!(
        ended.words.contains("fork") || ended.words.contains("Operation not permitted"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn many_files_together_have_an_end_too() {
    let out = tempfile::tempdir().unwrap();
    let thousand = "x=0123456789; x=$x$x$x$x$x$x$x$x$x$x; x=$x$x$x$x$x$x$x$x$x$x";
    let half = "while [ $i -lt 500 ]; do printf %s $x; i=$((i+1)); done";
    // Each is half as large as all may be.
    let large = format!("{thousand}; n=0; while :; do n=$(((n+1)%40)); i=0; {half} > /out/$n; done");
    let mut many = shell(&large, Some(out.path()));
    many.limits.wall = Duration::from_secs(20);
    let error = run(many).await.unwrap_err();
    assert!(
        explain::sandbox(&error).text.starts_with("The encoded video is larger"),
        "{error:?}"
    );

    let out = tempfile::tempdir().unwrap();
    let empty = "n=0; while :; do n=$(((n+1)%2000)); : > /out/$n; done";
    let mut many = shell(empty, Some(out.path()));
    many.limits.wall = Duration::from_secs(20);
    let error = run(many).await.unwrap_err();
    assert!(matches!(error, SandboxError::TooMuch), "{error:?}");
}

#[tokio::test]
async fn nothing_can_be_written_where_it_is_not_counted() {
    let out = tempfile::tempdir().unwrap();
    // Only builtins: a file that is open and has no name, a folder below.
    let ended = run(shell("exec 3> /out/x; echo x >&3", Some(out.path())))
        .await
        .unwrap();
    assert_eq!(ended.status, 0, "{ended:?}");
    for change in ["unlink x", "rm x", "mv x y", "mkdir d"] {
        let ended = run(shell(&format!("cd /out && exec {change}"), Some(out.path())))
            .await
            .unwrap();
        assert_ne!(ended.status, 0, "{change}: {ended:?}");
        assert!(ended.words.contains("Operation not permitted"), "{change}: {ended:?}");
    }
    let names: Vec<_> = std::fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["x"]);
}

#[tokio::test]
async fn a_stop_is_heard_at_once() {
    let sandbox = Sandbox::default();
    sandbox.check().await.unwrap();
    let cancel = CancellationToken::new();
    let endless = task(
        &["-re", "-f", "lavfi", "-i", "sine", "-f", "null", "-"],
        Path::new("/dev/null"),
        None,
    );
    let started = Instant::now();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.cancel();
    });
    assert!(matches!(
        sandbox.run(endless, cancel, |_| {}).await,
        Err(SandboxError::Cancelled)
    ));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn without_a_sandbox_nothing_is_decoded() {
    let sandbox = Sandbox::with("/nowhere/bwrap");
    let error = sandbox.check().await.unwrap_err();
    let words = explain::sandbox(&error);
    assert_eq!(
        words.text,
        "Nothing can be transcoded here: /nowhere/bwrap is not installed on the server (apt-get install bubblewrap)."
    );
    // One that does not work is as good as none.
    let sandbox = Sandbox::with("/usr/bin/false");
    let words = explain::sandbox(&sandbox.check().await.unwrap_err());
    assert!(
        words
            .text
            .contains("does not start on the server, and without it nothing is decoded"),
        "{words:?}"
    );
    assert!(!words.retry);
}

/// What bubblewrap says where the kernel has no namespace left at this moment; it is looked at again.
#[tokio::test]
async fn a_sandbox_that_has_no_room_for_now_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let bubblewrap = folder.path().join("bwrap");
    let says = |line: &str| {
        std::fs::write(&bubblewrap, format!("#!/bin/sh\n{line}\n")).unwrap();
        std::fs::set_permissions(&bubblewrap, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    says("echo 'bwrap: Creating new namespace failed: No space left on device' >&2; exit 1");
    let sandbox = Sandbox::with(&bubblewrap);
    let words = explain::sandbox(&sandbox.check().await.unwrap_err());
    assert!(words.retry && words.text.contains("did not start"), "{words:?}");
    says("exit 0");
    sandbox.check().await.unwrap();
}
