//! A real S3 server for one test: SeaweedFS in a folder of its own, on free ports, with a bucket. It can be killed and come back.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use tempfile::TempDir;

use crate::{
    blob::{Config, Secret},
    outbound,
};

const HELP: &str = "the tests need an S3 server: cargo xtask test --only tools";
const BUCKET: &str = "films";
const KEY_ID: &str = "KINORATESTKEY";
const SECRET: &str = "the secret of the tests";
const START_MAX: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);

/// A server. It is killed when this value goes.
pub struct S3Server {
    folder: TempDir,
    ports: Ports,
    child: Child,
    http: Client,
}

#[derive(Clone, Copy)]
struct Ports {
    s3: u16,
    filer: u16,
    metrics: u16,
    others: [u16; 6],
}

impl S3Server {
    /// With an empty bucket.
    ///
    /// # Panics
    /// When it is not installed or does not start; the message says what to do.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let ports = Ports::free();
        let http = outbound::client().timeout(Duration::from_secs(10)).build();
        let mut server = Self {
            child: launch(folder.path(), ports),
            folder,
            ports,
            http: http.unwrap_or_else(|error| panic!("an HTTP client: {error}")),
        };
        server.until_ready().await;
        server
    }

    /// What Kinora is told of it.
    pub fn config(&self) -> Config {
        Self::config_at(&format!("http://127.0.0.1:{}", self.ports.s3))
    }

    /// The same, for another process of the test.
    pub fn config_at(endpoint: &str) -> Config {
        Config {
            bucket: BUCKET.into(),
            endpoint: endpoint.into(),
            access_key_id: KEY_ID.into(),
            secret_access_key: Secret::new(SECRET),
            ..Config::default()
        }
    }

    /// The same, as it stands in a configuration.
    pub fn settings(&self) -> String {
        let endpoint = self.config().endpoint;
        format!(
            "[storage]\nbucket = \"{BUCKET}\"\nendpoint = \"{endpoint}\"\naccess_key_id = \"{KEY_ID}\"\n\
             secret_access_key = \"{SECRET}\"\n"
        )
    }

    /// It is away from now on, without a farewell.
    pub fn kill(&mut self) {
        end(&mut self.child);
    }

    /// It is back, at the same address, with what it held.
    pub async fn come_back(&mut self) {
        self.kill();
        self.child = launch(self.folder.path(), self.ports);
        self.until_ready().await;
    }

    /// How many requests of a kind (`GET`, `PUT`, …) it has answered well, since it was started.
    pub async fn answered(&self, kind: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.ports.metrics);
        let text = self.text(self.http.get(url)).await;
        let line = format!("SeaweedFS_s3_request_total{{bucket=\"{BUCKET}\",code=\"2");
        let counted = text
            .lines()
            .filter(|text| text.starts_with(&line) && text.contains(&format!("type=\"{kind}\"")));
        counted
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>() as u64
    }

    /// Everything that lies in the bucket, also what its clients cannot see: parts of files that were never finished.
    pub async fn everything(&self) -> Vec<String> {
        let (mut folders, mut files) = (vec![format!("/buckets/{BUCKET}")], Vec::new());
        while let Some(folder) = folders.pop() {
            let url = format!("http://127.0.0.1:{}{folder}/?limit=100000", self.ports.filer);
            let listed = self.text(self.http.get(url).header("accept", "application/json")).await;
            let listed: serde_json::Value = serde_json::from_str(&listed).unwrap_or_default();
            for entry in listed["Entries"].as_array().into_iter().flatten() {
                let path = entry["FullPath"].as_str().unwrap_or_default().to_owned();
                // The highest bit but of Go's mode: a folder.
                match entry["Mode"].as_u64().unwrap_or_default() & (1 << 31) {
                    0 => files.push(path),
                    _ => folders.push(path),
                }
            }
        }
        files.sort();
        files
    }

    async fn text(&self, request: reqwest::RequestBuilder) -> String {
        let answer = async { request.send().await?.text().await };
        answer
            .await
            .unwrap_or_else(|error| panic!("asking the S3 server: {error}"))
    }

    /// Until it takes files: its parts find each other one after the other.
    async fn until_ready(&mut self) {
        let (s3, filer) = (self.ports.s3, self.ports.filer);
        let began = Instant::now();
        loop {
            let bucket = self.http.post(format!("http://127.0.0.1:{filer}/buckets/{BUCKET}/"));
            let file = self.http.put(format!("http://127.0.0.1:{filer}/ready")).body("?");
            let answers = self.http.get(format!("http://127.0.0.1:{s3}/"));
            // Made now or before; written; refused, for nobody has signed.
            let [bucket, file, answers] = [status(bucket).await, status(file).await, status(answers).await];
            if matches!(bucket, 201 | 409) && file == 201 && answers == 403 {
                return;
            }
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || began.elapsed() > START_MAX {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("the S3 server is not there ({bucket} {file} {answers}, {ended:?}):\n{log}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Ports {
    fn free() -> Self {
        // All are held at once, so that no two are the same.
        let held: Vec<TcpListener> = (0..9).filter_map(|_| TcpListener::bind("127.0.0.1:0").ok()).collect();
        let ports: Vec<u16> = held
            .iter()
            .filter_map(|listener| Some(listener.local_addr().ok()?.port()))
            .collect();
        let &[s3, filer, metrics, ref others @ ..] = &ports[..] else {
            panic!("no free ports")
        };
        let others = others.try_into();
        Self {
            s3,
            filer,
            metrics,
            others: others.unwrap_or_else(|_| panic!("too few free ports")),
        }
    }
}

fn launch(folder: &Path, ports: Ports) -> Child {
    let (data, people, log) = (folder.join("data"), folder.join("s3.json"), folder.join("log"));
    let rights = r#"["Admin", "Read", "Write", "List"]"#;
    let person = format!(
        r#"{{"identities": [{{"name": "kinora", "actions": {rights},
        "credentials": [{{"accessKey": "{KEY_ID}", "secretKey": "{SECRET}"}}]}}]}}"#
    );
    let text = |error: std::io::Error| -> ! { panic!("{}: {error}", folder.display()) };
    std::fs::create_dir_all(&data).unwrap_or_else(|error| text(error));
    std::fs::write(&people, person).unwrap_or_else(|error| text(error));
    let log = std::fs::File::options().create(true).append(true).open(log);
    let log = log.unwrap_or_else(|error| text(error));
    let [master, master_rpc, volume, volume_rpc, filer_rpc, s3_rpc] = ports.others;
    let Ports { s3, filer, metrics, .. } = ports;
    let mut command = Command::new(program());
    command.args([
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
    ]);
    command.args([
        format!("-dir={}", data.display()),
        format!("-master.port={master}"),
        format!("-master.port.grpc={master_rpc}"),
        format!("-volume.port={volume}"),
        format!("-volume.port.grpc={volume_rpc}"),
        format!("-filer.port={filer}"),
        format!("-filer.port.grpc={filer_rpc}"),
        format!("-s3.port={s3}"),
        format!("-s3.port.grpc={s3_rpc}"),
        format!("-s3.config={}", people.display()),
        format!("-metricsPort={metrics}"),
    ]);
    command.args(["-s3", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args([
        "-master.volumeSizeLimitMB=64",
        "-volume.max=40",
        "-volume.minFreeSpace=0",
    ]);
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let child = command.spawn();
    child.unwrap_or_else(|error| panic!("{}: {error}; {HELP}", program().display()))
}

/// Installed by `cargo xtask test` beside what else tests need.
fn program() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(own, PathBuf::from);
    target.join("xtask/s3/bin/weed")
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.map_or(0, |answer| answer.status().as_u16())
}

fn end(child: &mut Child) {
    // Both fail only where it has ended already.
    child.kill().ok();
    child.wait().ok();
}
