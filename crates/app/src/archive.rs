//! The backup file: a zip with `databases/<room>.db`, `blobs/<key>` and, last, `manifest.json`, which lists every file. Its
//! comment is the seal, the SHA-256 of all bytes before it, so that what was cut or altered is refused before anything is touched.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

const FORMAT: u32 = 2;
const MANIFEST: &str = "manifest.json";
const MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// Hexadecimal digits of a SHA-256.
const SEAL_BYTES: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// Of the Kinora that wrote it.
    pub version: String,
    pub files: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub bytes: u64,
}

/// The seal of what `from` holds up to its own seal.
fn seal_of(mut from: impl Read, bytes: u64, mut progress: impl FnMut(f32)) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        from.read_exact(&mut buffer[..room])?;
        hash.update(&buffer[..room]);
        left -= room as u64;
        progress(1.0 - left as f32 / bytes as f32);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a backup is called until it is finished.
pub fn part_of(file: &Path) -> PathBuf {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

/// A backup being written; it becomes `file` only when [`Writer::finish`] has succeeded.
pub struct Writer {
    zip: ZipWriter<BufWriter<File>>,
    files: Vec<Entry>,
    /// Removed unless it takes the name of `file`.
    part: tempfile::TempPath,
    file: PathBuf,
}

impl Writer {
    pub fn create(file: &Path) -> anyhow::Result<Self> {
        let part = part_of(file);
        let mut options = File::options();
        let out = options.write(true).create(true).truncate(false).open(&part);
        let out = out.with_context(|| format!("creating {}", part.display()))?;
        // Held until it is finished: a process that clears away what was left keeps its hands off it.
        out.try_lock()
            .with_context(|| format!("{} is being written by another backup", part.display()))?;
        out.set_len(0)?;
        Ok(Self {
            zip: ZipWriter::new(BufWriter::new(out)),
            files: Vec::new(),
            part: tempfile::TempPath::try_from_path(part)?,
            file: file.to_owned(),
        })
    }

    pub fn add(&mut self, name: String, from: &Path, compress: bool) -> anyhow::Result<()> {
        let method = if compress {
            CompressionMethod::Deflated
        } else {
            CompressionMethod::Stored
        };
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        let mut from = File::open(from).with_context(|| format!("reading {}", from.display()))?;
        self.zip.start_file(&name, options)?;
        let bytes = io::copy(&mut from, &mut self.zip).with_context(|| format!("writing {name}"))?;
        self.files.push(Entry { name, bytes });
        Ok(())
    }

    /// Answers how many files with how many bytes are in it.
    pub fn finish(mut self) -> anyhow::Result<(usize, u64)> {
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            files: self.files,
        };
        self.zip.start_file(
            MANIFEST,
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated),
        )?;
        self.zip.write_all(&serde_json::to_vec(&manifest)?)?;
        self.zip.set_comment("0".repeat(SEAL_BYTES))?;
        drop(self.zip.finish()?.into_inner().map_err(|error| error.into_error())?);
        seal(&self.part).with_context(|| format!("sealing {}", self.part.display()))?;
        self.part
            .persist(&self.file)
            .with_context(|| format!("naming {}", self.file.display()))?;
        Ok((
            manifest.files.len(),
            manifest.files.iter().map(|entry| entry.bytes).sum(),
        ))
    }
}

/// Writes the seal over the zeros at the end, and makes the file durable.
fn seal(file: &Path) -> io::Result<()> {
    let mut open = File::options().read(true).write(true).open(file)?;
    let content = open.metadata()?.len() - SEAL_BYTES as u64;
    let seal = seal_of(&open, content, |_| {})?;
    open.seek(SeekFrom::Start(content))?;
    open.write_all(seal.as_bytes())?;
    open.sync_all()
}

/// Refuses what is not, byte for byte, what was sealed; `progress` gets the share that was read.
fn check_seal(mut file: &File, progress: impl FnMut(f32)) -> anyhow::Result<()> {
    let content = file.metadata()?.len().checked_sub(SEAL_BYTES as u64);
    let expected = seal_of(file, content.context("the file is too short")?, progress)?;
    let mut found = [0; SEAL_BYTES];
    file.read_exact(&mut found)?;
    ensure!(
        found == expected.as_bytes(),
        "its content does not match the seal at its end"
    );
    Ok(())
}

/// Unpacks `file` into the empty folder `into`, checking its seal, every name and every length. What is in `into` after an error is
/// for nobody.
pub fn unpack(file: &Path, into: &Path, mut progress: impl FnMut(f32, &str)) -> anyhow::Result<Manifest> {
    let open = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    check_seal(&open, |share| progress(share / 2.0, "checking")).with_context(|| {
        format!(
            "{} is not a whole backup (it may be cut short or altered)",
            file.display()
        )
    })?;
    let mut zip =
        ZipArchive::new(BufReader::new(open)).with_context(|| format!("{} is not a backup of ours", file.display()))?;
    let manifest = read_manifest(&mut zip)?;
    let total: u64 = manifest.files.iter().map(|entry| entry.bytes).sum::<u64>().max(1);
    let mut done = 0;
    for entry in &manifest.files {
        progress(0.5 + done as f32 / total as f32 / 2.0, "unpacking");
        unpack_entry(&mut zip, entry, into)?;
        done += entry.bytes;
    }
    Ok(manifest)
}

fn read_manifest(zip: &mut ZipArchive<BufReader<File>>) -> anyhow::Result<Manifest> {
    let text = zip
        .by_name(MANIFEST)
        .context("the backup has no manifest; it is not one of ours")?;
    ensure!(text.size() <= MANIFEST_BYTES_MAX, "the backup's manifest is too large");
    let manifest: Manifest =
        serde_json::from_reader(text.take(MANIFEST_BYTES_MAX)).context("the backup's manifest is damaged")?;
    ensure!(
        manifest.format == FORMAT,
        "the backup has format {} and this Kinora reads {FORMAT}; use the version {} that wrote it",
        manifest.format,
        manifest.version
    );
    let names: HashSet<&str> = manifest.files.iter().map(|entry| entry.name.as_str()).collect();
    ensure!(
        names.len() == manifest.files.len(),
        "the backup's manifest names a file twice"
    );
    ensure!(
        zip.len() == names.len() + 1,
        "the backup holds files that its manifest does not name"
    );
    Ok(manifest)
}

fn unpack_entry(zip: &mut ZipArchive<BufReader<File>>, entry: &Entry, into: &Path) -> anyhow::Result<()> {
    let relative = Path::new(&entry.name);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || entry.name.contains('\\') {
        bail!("the backup names a file outside of itself: {:?}", entry.name);
    }
    let path = into.join(relative);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let from = zip
        .by_name(&entry.name)
        .with_context(|| format!("the backup lacks {}", entry.name))?;
    let mut to = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    // One byte more than promised is enough to know that it is wrong.
    let bytes = io::copy(&mut from.take(entry.bytes + 1), &mut to)
        .with_context(|| format!("{} is damaged in the backup", entry.name))?;
    ensure!(bytes == entry.bytes, "{} is damaged in the backup", entry.name);
    to.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(folder: &Path) -> PathBuf {
        let content = folder.join("content");
        fs::write(&content, vec![7; 100_000]).unwrap();
        let file = folder.join("backup.zip");
        let mut writer = Writer::create(&file).unwrap();
        writer.add("databases/catalog.db".into(), &content, true).unwrap();
        writer.add("blobs/assets/z8/init.mp4".into(), &content, false).unwrap();
        assert_eq!(writer.finish().unwrap(), (2, 200_000));
        file
    }

    fn unpack_new(file: &Path, folder: &Path) -> anyhow::Result<Manifest> {
        let into = tempfile::tempdir_in(folder).unwrap();
        unpack(file, into.path(), |_, _| {})
    }

    #[test]
    fn what_went_in_comes_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = sample(folder.path());
        let into = folder.path().join("into");
        unpack(&file, &into, |_, _| {}).unwrap();
        assert_eq!(
            fs::read(into.join("blobs/assets/z8/init.mp4")).unwrap(),
            vec![7; 100_000]
        );
        assert_eq!(fs::read(into.join("databases/catalog.db")).unwrap(), vec![7; 100_000]);
    }

    #[test]
    fn a_cut_or_altered_backup_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = fs::read(sample(folder.path())).unwrap();
        let file = folder.path().join("damaged.zip");
        for length in [0, 1, 1000, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&file, &bytes[..length]).unwrap();
            assert!(unpack_new(&file, folder.path()).is_err(), "cut to {length}");
        }
        for place in (0..bytes.len()).step_by(997).chain(bytes.len() - 600..bytes.len()) {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            fs::write(&file, &altered).unwrap();
            assert!(unpack_new(&file, folder.path()).is_err(), "byte {place} altered");
        }
    }

    #[test]
    fn a_name_that_leads_outside_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        fs::write(&content, b"x").unwrap();
        let file = folder.path().join("evil.zip");
        let mut writer = Writer::create(&file).unwrap();
        writer.add("../outside".into(), &content, false).unwrap();
        writer.finish().unwrap();
        let error = unpack_new(&file, folder.path()).unwrap_err().to_string();
        assert!(error.contains("outside"), "{error}");
        assert!(!folder.path().join("outside").exists());
    }
}
