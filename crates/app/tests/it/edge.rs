//! What stands before Kinora in a test: nginx or Varnish, with the configuration of `deploy/`.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const START_MAX: Duration = Duration::from_secs(30);

/// A cache before Kinora.
pub struct Edge {
    child: Child,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Edge {
    pub fn nginx(kinora: &str) -> Self {
        Self::nginx_that_listens(kinora, |_, address| format!("listen {address};"))
    }

    /// With a certificate of its own making.
    pub fn nginx_with_tls(kinora: &str) -> Self {
        let mut edge = Self::nginx_that_listens(kinora, |folder, address| {
            let made = Command::new("openssl")
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ])
                .args([
                    "-subj",
                    "/CN=localhost",
                    "-keyout",
                    "key.pem",
                    "-out",
                    "certificate.pem",
                ])
                .current_dir(folder)
                .output()
                .expect("openssl, which the tests need: apt-get install -y openssl");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let at = folder.display();
            format!(
                "listen {address} ssl http2; ssl_certificate {at}/certificate.pem; ssl_certificate_key {at}/key.pem;"
            )
        });
        edge.url = edge.url.replace("http://", "https://");
        edge
    }

    fn nginx_that_listens(kinora: &str, listen: impl FnOnce(&Path, &str) -> String) -> Self {
        let shipped = shipped("nginx/kinora.conf");
        Self::start(kinora, &shipped, |folder, address, shipped| {
            let at = folder.display();
            let ours = replaced(shipped, "listen 80;", &listen(folder, address));
            let ours = replaced(&ours, "/var/cache/nginx/", &format!("{at}/"));
            fs::write(folder.join("kinora.conf"), ours).unwrap();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
                .concat();
            // As root the worker would be somebody who may not read this folder.
            let whole = format!(
                "user root;\ndaemon off;\npid {at}/pid;\nerror_log {at}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}include {at}/kinora.conf;\n}}\n"
            );
            fs::write(folder.join("nginx.conf"), whole).unwrap();
            let mut nginx = Command::new(server_program("nginx"));
            nginx.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
            nginx
        })
    }

    pub fn varnish(kinora: &str) -> Self {
        let shipped = shipped("varnish/kinora.vcl");
        Self::start(kinora, &shipped, |folder, address, shipped| {
            fs::write(folder.join("kinora.vcl"), shipped).unwrap();
            let mut varnish = Command::new(server_program("varnishd"));
            varnish.args(["-F", "-j", "none", "-a", address, "-s", "malloc,64m", "-n"]);
            varnish
                .arg(folder.join("varnish"))
                .arg("-f")
                .arg(folder.join("kinora.vcl"));
            varnish
        })
    }

    fn start(kinora: &str, shipped: &str, command: impl FnOnce(&Path, &str, &str) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let kinora_port = kinora.rsplit_once(':').unwrap().1;
        let configuration = if shipped.contains("127.0.0.1:8080") {
            replaced(shipped, "127.0.0.1:8080", &format!("127.0.0.1:{kinora_port}"))
        } else {
            replaced(shipped, "\"8080\"", &format!("\"{kinora_port}\""))
        };
        let mut command = command(folder.path(), &address, &configuration);
        let log = fs::File::create(folder.path().join("said")).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut child = command
            .spawn()
            .expect("the cache, which the tests need: apt-get install -y nginx varnish");
        let began = Instant::now();
        while TcpStream::connect(&address).is_err() {
            let said = || fs::read_to_string(folder.path().join("said")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "the cache ended: {}", said());
            assert!(began.elapsed() < START_MAX, "the cache does not listen: {}", said());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self {
            child,
            url: format!("http://{address}"),
            _folder: folder,
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Asked, so that its own processes end with it.
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn shipped(name: &str) -> String {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    fs::read_to_string(deploy.join(name)).unwrap()
}

/// A shipped line that is not there any more would be a test of nothing.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in it");
    text.replace(from, to)
}

/// Debian keeps them where only administrators look.
fn server_program(name: &str) -> PathBuf {
    let there = Path::new("/usr/sbin").join(name);
    if there.is_file() { there } else { name.into() }
}
