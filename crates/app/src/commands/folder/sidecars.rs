//! Files of subtitles that lie beside films: `Solaris (1972).en.srt`, `Subs/English.srt`, `Subs/Solaris (1972)/2_English.srt`. Each
//! belongs to one video file, and to the title of that: what appears, changes or vanishes does so for whoever presses play next, and
//! nothing is packaged again for it.

use std::{
    collections::{HashMap, HashSet},
    fs::OpenOptions,
    io::Read as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Component, Path},
};

use contract::{
    Blob, TitleId,
    catalog::Resolve,
    streaming::{AddSubtitles, ByName, RemoveSubtitles, StreamingError},
};
use rustix::fs::OFlags;
use streaming::{FileName, SUBTITLE_BYTES_MAX, file_name};

use super::{
    Counts, Doors, Found, Rest,
    memory::{Change, KnownSubtitles, Memory, Shown, key},
    scan::{Scan, Seen},
    titles,
};

/// Folders whose name says that nothing else lies in them.
const FOLDERS: [&str; 4] = ["subs", "sub", "subtitles", "subtitle"];
/// Titles that are asked for at once.
const TITLES_AT_ONCE: usize = 10_000;

/// A file of subtitles and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Sidecar<'a> {
    pub seen: &'a Seen,
    /// The video file.
    pub film: &'a Path,
    /// What its name says beyond the film's.
    pub words: String,
}

/// Brings in what changed of them. `titles` are those of the films that came in just now.
pub async fn bring_in(
    folder: &Path,
    (scan, kept): (&Scan, &[Found]),
    titles: &HashMap<&Path, TitleId>,
    doors: &Doors,
    (memory, counts): (&Memory<'_>, &mut Counts),
    (now_ms, rest): (i64, &mut Rest),
) -> anyhow::Result<()> {
    // Of two files of one film the larger one is taken, with what lies beside it.
    let sidecars = paired(&scan.subtitles, kept, counts);
    let known = memory.load_subtitles().await?;
    let mut changed = Vec::new();
    for sidecar in &sidecars {
        let (change, shown) = known.change(sidecar);
        if change == Change::Unchanged {
            continue;
        }
        if rest.has_rested(now_ms, sidecar.seen) {
            changed.push((sidecar, shown));
        } else {
            counts.resting += 1;
        }
    }
    let films: Vec<&Path> = changed.iter().map(|(sidecar, _)| sidecar.film).collect();
    let films = titles_of(folder, &films, titles, doors).await?;
    for ((sidecar, shown), title) in changed.into_iter().zip(films) {
        // The film rests, is left out, or its title was deleted.
        let Some(title) = title else { continue };
        if let Some(shown) = shown.filter(|shown| shown.title != title) {
            remove(&key(&sidecar.seen.file), shown, doors, memory).await?;
        }
        if add(folder, sidecar, title, doors, (memory, &mut *counts)).await? {
            memory.note_subtitles(sidecar, title).await?;
        }
        doors.db.give_way().await;
    }
    if scan.tells_what_is_gone() {
        vanish(known, (scan, &sidecars), titles, doors, memory).await?;
    }
    Ok(())
}

/// What lies there no more is shown no more; but where its film went with it, both were only moved away, and are shown as before.
async fn vanish(
    known: KnownSubtitles,
    (scan, sidecars): (&Scan, &[Sidecar<'_>]),
    titles: &HashMap<&Path, TitleId>,
    doors: &Doors,
    memory: &Memory<'_>,
) -> anyhow::Result<()> {
    let gone = known.gone(sidecars, &scan.mounts);
    if gone.is_empty() {
        return Ok(());
    }
    let films: HashSet<String> = scan.videos.iter().map(|seen| key(&seen.file)).collect();
    let renamed: HashSet<TitleId> = titles.values().copied().collect();
    for (file, shown) in gone {
        if films.contains(&shown.film) || renamed.contains(&shown.title) {
            remove(&file, &shown, doors, memory).await?;
        }
        memory.forget_subtitles(&file).await?;
    }
    Ok(())
}

async fn remove(file: &str, shown: &Shown, doors: &Doors, memory: &Memory<'_>) -> anyhow::Result<()> {
    let asked = RemoveSubtitles {
        title: shown.title,
        origin: memory.origin(file),
        id: None,
    };
    match doors.streaming.remove_subtitles(asked).await {
        Ok(_) | Err(StreamingError::SubtitlesNotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether it is shown. One that cannot be used holds up no other, and is looked at again the next time.
async fn add(
    folder: &Path,
    sidecar: &Sidecar<'_>,
    title: TitleId,
    doors: &Doors,
    (memory, counts): (&Memory<'_>, &mut Counts),
) -> anyhow::Result<bool> {
    let shown = sidecar.seen.file.display();
    let path = folder.join(&sidecar.seen.file);
    // Reading a file may take long, on a share for ever.
    let body = match tokio::task::spawn_blocking(move || read(&path)).await? {
        Ok(body) => body,
        Err(why) => {
            counts.leave_out(format!("{shown}: {why}"));
            return Ok(false);
        }
    };
    let FileName { language, kind, .. } = file_name(&sidecar.words);
    let filename = sidecar.seen.file.file_name().unwrap_or_default().to_string_lossy();
    let asked = AddSubtitles {
        title,
        origin: memory.origin(&key(&sidecar.seen.file)),
        filename: filename.into_owned(),
        language,
        kind,
        // The name says more where it lies: whose film it is.
        by_name: ByName::default(),
        body: Blob(body),
    };
    match doors.streaming.add_subtitles(asked).await {
        Ok(_) => {
            counts.subtitles += 1;
            Ok(true)
        }
        Err(refused @ StreamingError::SubtitlesInvalid(_)) => {
            counts.leave_out(format!("{shown}: {refused}"));
            Ok(false)
        }
        // Its title was deleted just now.
        Err(StreamingError::TitleNotFound | StreamingError::TitleIsSeries) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Fails in words with one that cannot be read.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    // Opening a pipe would wait for somebody who writes into it; and a link may lead anywhere.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits() as i32;
    let said = |error: std::io::Error| error.to_string();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(said)?;
    if !file.metadata().map_err(said)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut body = Vec::new();
    // One more byte, so that whoever looks at the content sees that it is too much.
    file.take(SUBTITLE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut body)
        .map_err(said)?;
    Ok(body)
}

/// In order. Nothing is created for them: a title that was deleted stays so.
async fn titles_of(
    folder: &Path,
    films: &[&Path],
    titles: &HashMap<&Path, TitleId>,
    doors: &Doors,
) -> anyhow::Result<Vec<Option<TitleId>>> {
    let mut all = Vec::with_capacity(films.len());
    for some in films.chunks(TITLES_AT_ONCE) {
        let ids = some.iter().map(|film| titles::id_of(folder, film)).collect();
        let source = titles::SOURCE.to_owned();
        let found = doors.catalog.resolve(Resolve { source, ids }).await?;
        let known = some.iter().map(|film| titles.get(film).copied());
        all.extend(known.zip(found).map(|(known, found)| known.or(found)));
    }
    Ok(all)
}

/// Every file of subtitles with its film, as far as one can tell; what belongs to none is told.
fn paired<'a>(subtitles: &'a [Seen], films: &'a [Found], counts: &mut Counts) -> Vec<Sidecar<'a>> {
    let films = Films::of(films);
    let mut pairs = Vec::with_capacity(subtitles.len());
    for seen in subtitles {
        match films.whose(&seen.file) {
            Some((film, words)) => pairs.push(Sidecar { seen, film, words }),
            None => counts.leave_out(format!(
                "{}: its name does not say which film these subtitles belong to",
                seen.file.display()
            )),
        }
    }
    pairs
}

/// Video files, found by where they lie and what they are called: there may be a hundred thousand in one folder.
#[derive(Default)]
struct Films<'a> {
    by_stem: HashMap<(&'a Path, String), &'a Path>,
    /// The first of a folder, and whether it is the only one.
    by_folder: HashMap<&'a Path, (&'a Path, bool)>,
}

impl<'a> Films<'a> {
    fn of(films: &'a [Found]) -> Self {
        let mut all = Self::default();
        for film in films.iter().map(|found| &*found.seen.file) {
            let folder = film.parent().unwrap_or(Path::new(""));
            all.by_stem.entry((folder, stem(film))).or_insert(film);
            let first = all.by_folder.entry(folder);
            first.and_modify(|first| first.1 = false).or_insert((film, true));
        }
        all
    }

    /// The film of a file of subtitles, and what the file's name says beyond the film's.
    fn whose(&self, subtitles: &Path) -> Option<(&'a Path, String)> {
        let name = stem(subtitles);
        let folder = subtitles.parent()?;
        if let Some(found) = self.named_so(folder, &name) {
            return Some(found);
        }
        if is_for_subtitles(folder) {
            let above = folder.parent()?;
            return self
                .named_so(above, &name)
                .or_else(|| Some((self.only_one(above)?, name)));
        }
        // `English.srt`, in a film's own folder or in one that is called like the film.
        let above = folder.parent()?;
        if is_for_subtitles(above) {
            let film = self.by_stem.get(&(above.parent()?, small_name(folder)))?;
            return Some((*film, name));
        }
        let said = file_name(&name);
        let is_own = said.is_plain && said.language.is_some() && folder != Path::new("");
        Some((self.only_one(folder).filter(|_| is_own)?, name))
    }

    fn only_one(&self, folder: &Path) -> Option<&'a Path> {
        let (film, is_alone) = self.by_folder.get(folder)?;
        is_alone.then_some(*film)
    }

    /// The one whose name is the longest with which this one begins.
    fn named_so(&self, folder: &Path, name: &str) -> Option<(&'a Path, String)> {
        let ends = name.char_indices().filter(|(_, sign)| !sign.is_alphanumeric());
        let mut ends: Vec<usize> = ends.map(|(at, _)| at).chain([name.len()]).collect();
        ends.reverse();
        ends.into_iter().find_map(|end| {
            let film = self.by_stem.get(&(folder, name[..end].to_owned()))?;
            Some((*film, name[end..].to_owned()))
        })
    }
}

fn is_for_subtitles(folder: &Path) -> bool {
    FOLDERS.contains(&&*small_name(folder))
}

fn small_name(folder: &Path) -> String {
    match folder.components().next_back() {
        Some(Component::Normal(name)) => name.to_string_lossy().to_lowercase(),
        _ => String::new(),
    }
}

/// In small letters: people do not agree with themselves about them.
fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::names::name_of;
    use super::*;

    fn seen(file: &&str) -> Seen {
        Seen {
            file: file.into(),
            bytes: 1,
            modified_ms: 1,
            mount: "".into(),
        }
    }

    #[test]
    fn a_name_and_a_place_say_whose_subtitles_they_are() {
        let videos = [
            "Solaris (1972).mkv",
            "Solaris (1972) Extra.mkv",
            "Stalker (1979)/film.mkv",
            "Two/One.mkv",
            "Two/Two.mkv",
            "Dark/Season 1/Dark S01E01.mkv",
            "Dark/Season 1/Dark S01E10.mkv",
        ];
        let films: Vec<Found> = videos
            .iter()
            .map(|video| Found {
                seen: seen(video),
                named: name_of(Path::new("/films"), Path::new(video)),
                change: Change::New,
            })
            .collect();
        let cases = [
            ("Solaris (1972).srt", Some((0, ""))),
            ("solaris (1972).EN.srt", Some((0, ".en"))),
            ("Solaris (1972) Extra.de.forced.ass", Some((1, ".de.forced"))),
            ("Solaris (1972)b.srt", None),
            ("English.srt", None),
            ("Subs/English.srt", None),
            ("Subs/Solaris (1972)/2_English.srt", Some((0, "2_english"))),
            ("Subs/Solaris (1972).en.srt", Some((0, ".en"))),
            ("Stalker (1979)/English.srt", Some((2, "english"))),
            ("Stalker (1979)/the making of.srt", None),
            ("Stalker (1979)/SUBS/3_Deutsch.srt", Some((2, "3_deutsch"))),
            ("Stalker (1979)/Subtitles/whatever.srt", Some((2, "whatever"))),
            ("Stalker (1979)/Subs/film/2_English.srt", Some((2, "2_english"))),
            ("Stalker (1979)/Subs/other/2_English.srt", None),
            ("Two/English.srt", None),
            ("Two/Subs/English.srt", None),
            ("Two/Subs/Two.English.vtt", Some((4, ".english"))),
            ("Dark/Season 1/Dark S01E01.en.srt", Some((5, ".en"))),
            ("Dark/Season 1/Subs/Dark S01E10/2_English.srt", Some((6, "2_english"))),
            ("Dark/Season 1/Dark S01E1.en.srt", None),
        ];
        for (file, expected) in cases {
            let mut counts = Counts::default();
            let subtitles = [seen(&file)];
            let pairs = paired(&subtitles, &films, &mut counts);
            let found = pairs.first().map(|pair| {
                let film = videos.iter().position(|video| Path::new(video) == pair.film);
                (film.unwrap(), pair.words.as_str())
            });
            assert_eq!(found, expected, "{file}");
            assert_eq!(counts.left_out.len(), usize::from(expected.is_none()), "{file}");
        }
    }
}
