//! A TURN server in a test: coturn, with a secret that it shares with Kinora.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const START_MAX: Duration = Duration::from_secs(30);
pub const SECRET: &str = "between-the-two-of-us";

pub struct Relay {
    child: Child,
    /// As a browser is told it.
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Relay {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let settings = format!(
            "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\nallow-loopback-peers\nno-tls\nno-dtls\nno-cli\n\
             realm=kinora.example\nuse-auth-secret\nstatic-auth-secret={SECRET}\nuserdb={}\npidfile={}\nlog-file=stdout\n",
            at("users"),
            at("pid")
        );
        fs::write(at("settings"), settings).unwrap();
        let log = fs::File::create(at("said")).unwrap();
        let mut child = Command::new("turnserver")
            .args(["-c", &at("settings")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("coturn, which the tests need: apt-get install -y coturn");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let said = || fs::read_to_string(at("said")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "the relay ended: {}", said());
            assert!(began.elapsed() < START_MAX, "the relay does not listen: {}", said());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self {
            child,
            url: format!("turn:127.0.0.1:{port}?transport=udp"),
            _folder: folder,
        }
    }

    /// What Kinora is told of it.
    pub fn settings(&self, secret: &str) -> String {
        let url = &self.url;
        format!("[[gateway.together.ice_servers]]\nurls = [{url:?}]\nsecret = {secret:?}\n")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
