//! What lies beside the films of a folder: files of subtitles, which come and go with the folder; and other disks.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use reqwest::Method;
use rustix::fs::{FileType, Mode};
use serde_json::{Value, json};
use testkit::{Answer, Client, Cluster, SmallDisk, films::Film, until};

use crate::{LONG, ids, video::ended_job};

/// Since when nothing here has changed, unless it says so.
const LONG_AGO_S: u64 = 1_000_000_000;

fn put(folder: &Path, name: &str, content: &[u8]) {
    put_at(folder, name, content, LONG_AGO_S);
}

fn put_at(folder: &Path, name: &str, content: &[u8], at_s: u64) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at_s);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(at)
        .unwrap();
}

fn srt(words: &str) -> Vec<u8> {
    format!("1\n00:00:00,500 --> 00:00:01,500\n{words}\n").into_bytes()
}

fn import(cluster: &Cluster, folder: &Path) -> Value {
    cluster
        .command(&["import", "folder", &folder.to_string_lossy(), "--json"])
        .json()
}

fn figures<const N: usize>(counts: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| counts[name].as_u64().unwrap())
}

/// The id of a title, once search knows it.
pub async fn found(client: &Client, name: &str) -> String {
    until(name, LONG, async || {
        ids(&client.get(&format!("/search?q={name}")).await.ok())
            .into_iter()
            .next()
    })
    .await
}

/// The subtitles that a viewer may choose now: label, language, kind and what the file says.
async fn offered(client: &Client, title: &str) -> Vec<[String; 4]> {
    let playback = client
        .post("/playback", &json!({ "title_id": title }))
        .await
        .expect(200);
    let mut all = Vec::new();
    for track in playback["subtitles"].as_array().unwrap() {
        let text = |name: &str| track[name].as_str().unwrap_or_default().to_owned();
        let said = client.get(&format!("/{}", text("url"))).await.text();
        let said = said.lines().last().unwrap_or_default().to_owned();
        all.push([text("label"), text("language"), text("kind"), said]);
    }
    all.sort();
    all
}

async fn jobs(cluster: &Cluster) -> usize {
    let page = cluster.admin().await.get("/admin/jobs").await.ok();
    page["items"].as_array().unwrap().len()
}

const ASS: &str = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n\
    Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
    Dialogue: 0,0:00:00.50,0:00:01.50,Default,,0,0,0,,Sortie\n";

/// A film with three files of subtitles, and what is none of its: pictures, one whose film nobody knows, one without any, a link out of
/// the folder, a pipe.
fn fill(folder: &Path, outside: &Path) {
    Film::new("320x180", "25", 2).write(&folder.join("Solaris (1972).mkv"));
    put(folder, "Solaris (1972).en.srt", &srt("Hello"));
    let german = "1\n00:00:00,500 --> 00:00:01,500\nGrüße\n"
        .chars()
        .map(|sign| u8::try_from(sign).unwrap());
    put(folder, "Subs/Solaris (1972)/2_German.srt", &german.collect::<Vec<u8>>());
    put(folder, "Solaris (1972).fr.forced.ass", ASS.as_bytes());
    put(folder, "Solaris (1972).idx", b"# VobSub index file");
    put(folder, "lonely.srt", &srt("Whose?"));
    put(folder, "Solaris (1972).es.srt", b"#EXTM3U\nfile:///etc/passwd\n");
    put(outside, "secret.srt", &srt("Secret"));
    std::os::unix::fs::symlink(outside.join("secret.srt"), folder.join("Solaris (1972).it.srt")).unwrap();
    let pipe = folder.join("Solaris (1972).nl.srt");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[tokio::test]
async fn transcode_subtitles_beside_a_film_are_offered_and_follow_the_folder() {
    let cluster = Cluster::one();
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    fill(folder, outside.path());
    let counts = import(&cluster, folder);
    let made = figures(&counts, ["titles_created", "queued", "subtitles"]);
    assert_eq!(made, [1, 1, 3], "{counts}");
    let left_out = counts["left_out"].as_array().unwrap();
    for (file, why) in [
        ("Solaris (1972).idx", "are pictures"),
        ("lonely.srt", "which film"),
        ("Solaris (1972).es.srt", "holds no subtitles"),
    ] {
        let told = |what: &Value| what.as_str().unwrap().starts_with(file) && what.as_str().unwrap().contains(why);
        assert!(left_out.iter().any(told) && left_out.len() == 3, "{counts}");
    }
    let ada = cluster.viewer("ada").await;
    let solaris = found(&ada, "Solaris").await;
    assert_eq!(ended_job(&cluster.admin().await, &solaris).await["state"], "done");
    until("the title to be playable", LONG, async || {
        (ada.get(&format!("/titles/{solaris}")).await.ok()["playable"] == true).then_some(())
    })
    .await;
    let expected = [
        ["Deutsch", "de", "subtitles", "Grüße"],
        ["English", "en", "subtitles", "Hello"],
        ["Français (forced)", "fr", "forced", "Sortie"],
    ];
    assert_eq!(offered(&ada, &solaris).await, expected);
    it_follows_the_folder(&cluster, folder, &ada, &solaris).await;
    a_curator_sends_names_and_removes_them(&cluster, &ada, &solaris).await;
    assert_eq!(
        figures(&import(&cluster, folder), ["subtitles"]),
        [0],
        "what was removed stays so"
    );

    // A title that was deleted does not come back for a file of subtitles.
    let admin = cluster.admin().await;
    admin.delete(&format!("/admin/titles/{solaris}")).await.expect(204);
    put(folder, "Solaris (1972) 720p.da.srt", &srt("Goddag"));
    let again = import(&cluster, folder);
    let made = figures(&again, ["titles_created", "queued", "subtitles"]);
    assert_eq!(made, [0, 0, 0], "{again}");
}

async fn it_follows_the_folder(cluster: &Cluster, folder: &Path, ada: &Client, solaris: &str) {
    let before = jobs(cluster).await;
    let figures = |counts: &Value| figures(counts, ["titles_created", "queued", "subtitles"]);
    let again = import(cluster, folder);
    assert_eq!(
        (figures(&again), &again["unchanged"]),
        ([0, 0, 0], &json!(1)),
        "{again}"
    );
    // One is better now, one is gone, one is new.
    put_at(folder, "Solaris (1972).en.srt", &srt("Good evening"), LONG_AGO_S + 1);
    fs::remove_file(folder.join("Subs/Solaris (1972)/2_German.srt")).unwrap();
    let captions = b"WEBVTT\n\n00:00.500 --> 00:01.500\n[a door]\n";
    put(folder, "Solaris (1972).en.sdh.vtt", captions);
    let again = import(cluster, folder);
    assert_eq!(figures(&again), [0, 0, 2], "{again}");
    let expected = [
        ["English", "en", "subtitles", "Good evening"],
        ["English (SDH)", "en", "captions", "[a door]"],
        ["Français (forced)", "fr", "forced", "Sortie"],
    ];
    assert_eq!(offered(ada, solaris).await, expected);
    assert_eq!(jobs(cluster).await, before, "nothing is packaged again");
    // The file is renamed with all that lies beside it: it is the same film, and has each of them once.
    for file in ["mkv", "en.srt", "en.sdh.vtt", "fr.forced.ass"] {
        let of = |stem: &str| folder.join(format!("{stem}.{file}"));
        fs::rename(of("Solaris (1972)"), of("Solaris (1972) 720p")).unwrap();
    }
    let again = import(cluster, folder);
    assert_eq!(figures(&again), [0, 0, 3], "{again}");
    assert_eq!(offered(ada, solaris).await, expected);
}

async fn a_curator_sends_names_and_removes_them(cluster: &Cluster, ada: &Client, title: &str) {
    let curator = cluster.person("curator", "curator").await;
    let path = format!("/admin/titles/{title}/subtitles");
    let send = async |client: &Client, query: &str, body: Vec<u8>| {
        let request = client.request(Method::POST, &format!("{path}?{query}"));
        Answer::of(request.body(body), &path).await
    };
    let refused = send(ada, "filename=a.srt", srt("Hallo")).await;
    assert_eq!(refused.problem(403), "forbidden");
    for (query, body, code) in [
        ("filename=a.srt", b"#EXTM3U".to_vec(), "subtitles_invalid"),
        ("filename=a.srt&language=klingonese", srt("Hallo"), "subtitles_invalid"),
        ("filename=a%00.srt", srt("Hallo"), "query_invalid"),
    ] {
        assert_eq!(send(&curator, query, body).await.problem(400), code, "{query}");
    }
    let large = send(&curator, "filename=a.srt", vec![b' '; (4 << 20) + 1]).await;
    assert_eq!(large.problem(413), "body_too_large");
    // The film's own name is no language; what follows it is one.
    let dutch = send(&curator, "filename=Solaris.1972.nl.sdh.srt", srt("Hallo")).await;
    let dutch = dutch.expect(201);
    assert_eq!((&dutch["language"], &dutch["kind"]), (&json!("nl"), &json!("captions")));
    let is_offered = async |track: [&str; 4]| offered(ada, title).await.iter().any(|offered| offered == &track);
    assert!(is_offered(["Nederlands (SDH)", "nl", "captions", "Hallo"]).await);
    let one = format!("{path}/{}", dutch["id"].as_str().unwrap());
    let belgian = json!({ "language": "nl-be", "kind": "subtitles" });
    let named = curator.put(&one, &belgian).await.expect(200);
    assert_eq!((&named["id"], &named["language"]), (&dutch["id"], &json!("nl-BE")));
    assert!(is_offered(["Nederlands (BE)", "nl-BE", "subtitles", "Hallo"]).await);
    let list = curator.get(&path).await.ok();
    for file in list["items"].as_array().unwrap() {
        let one = format!("{path}/{}", file["id"].as_str().unwrap());
        curator.delete(&one).await.expect(204);
        assert_eq!(curator.delete(&one).await.problem(404), "subtitles_not_found");
        assert_eq!(curator.put(&one, &belgian).await.problem(404), "subtitles_not_found");
    }
    assert_eq!(offered(ada, title).await, Vec::<[String; 4]>::new());
}

#[tokio::test]
async fn what_lies_on_another_disk_is_remembered_while_that_is_not_mounted() {
    let cluster = Cluster::one();
    let folder = tempfile::tempdir().unwrap();
    let disk_folder = folder.path().join("Archive");
    fs::create_dir(&disk_folder).unwrap();
    let Some(disk) = SmallDisk::at(&disk_folder, 1 << 20) else {
        return;
    };
    let fill = || {
        put(&disk_folder, "Stalker (1979).mkv", &[0; 10]);
        put(&disk_folder, "Stalker (1979).en.srt", &srt("Hello"));
    };
    fill();
    put(folder.path(), "Solaris (1972).mkv", &[0; 10]);
    put(folder.path(), "Mirror (1975).mkv", &[0; 10]);
    let counts = import(&cluster, folder.path());
    assert_eq!(figures(&counts, ["titles_created", "subtitles"]), [3, 1], "{counts}");
    let admin = cluster.admin().await;
    for name in ["Stalker", "Mirror"] {
        let title = found(&admin, name).await;
        admin.delete(&format!("/admin/titles/{title}")).await.expect(204);
    }
    drop(disk);
    fs::remove_file(folder.path().join("Mirror (1975).mkv")).unwrap();
    let counts = import(&cluster, folder.path());
    assert_eq!(figures(&counts, ["files", "unchanged"]), [1, 1], "{counts}");
    let Some(_disk) = SmallDisk::at(&disk_folder, 1 << 20) else {
        return;
    };
    fill();
    let counts = import(&cluster, folder.path());
    assert_eq!(
        figures(&counts, ["files", "unchanged", "titles_created", "queued", "subtitles"]),
        [2, 2, 0, 0, 0],
        "what was deleted stays so: {counts}"
    );
    // What lay on the disk itself and was gone is new.
    put(folder.path(), "Mirror (1975).mkv", &[0; 10]);
    let counts = import(&cluster, folder.path());
    assert_eq!(figures(&counts, ["unchanged", "titles_created"]), [2, 1], "{counts}");
}
