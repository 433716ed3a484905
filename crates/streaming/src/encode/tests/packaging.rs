//! The same renditions are the same package, to the byte, whoever packages them and whenever.

use std::{collections::BTreeMap, path::Path};

use contract::AssetId;
use platform::blob::BlobStore;
use testkit::films::{Film, file};
use tokio_util::sync::CancellationToken;

use crate::{
    asset,
    encode::{chunks::Chunk, extras, join, package::Part, plan::Plan, probe, sandbox::Sandbox},
    manifest,
};

const ASSET: AssetId = AssetId(7);

/// Every stored file and every manifest, by name.
async fn packaged(renditions: &Path, source: &Path) -> BTreeMap<String, Vec<u8>> {
    let (folder, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for rendition in ["v0.mp4", "a0.mp4"] {
        std::fs::copy(renditions.join(rendition), folder.path().join(rendition)).unwrap();
    }
    let (sandbox, cancel) = (Sandbox::default(), CancellationToken::new());
    let plan = Plan::new(probe::probe(&sandbox, source, &cancel).await.unwrap());
    let extras = plan.extras.clone();
    let blobs = BlobStore::open(store.path()).unwrap();
    let pictures = Part::pictures(&plan, &Chunk::WHOLE, folder.path()).unwrap();
    let pictures = pictures.store(&blobs, ASSET, None).await.unwrap();
    let sound = Part::sound(&plan, 0, folder.path()).unwrap();
    let sound = sound.store(&blobs, ASSET, None).await.unwrap();
    let chunks = [(Chunk::WHOLE, pictures.renditions)];
    let mut package = join::join(&plan, &chunks, &sound.renditions).unwrap();
    extras::add(&sandbox, &mut package, &extras, (source, folder.path()), &cancel)
        .await
        .unwrap();
    for extra in &package.extras {
        let key = format!("{}/{}", asset::folder(ASSET), extra.name);
        blobs.put_file(&key, &extra.path).await.unwrap();
    }
    let mut files = BTreeMap::from([("index".to_owned(), serde_json::to_vec(&package.index).unwrap())]);
    for stored in blobs.list("assets").await.unwrap() {
        let bytes = blobs.get(&stored.key).await.unwrap().to_vec();
        files.insert(stored.key, bytes);
    }
    let index = &package.index;
    let storyboard = index.storyboard.as_ref().unwrap();
    let mut add = |name: &str, text: String| files.insert(name.to_owned(), text.into_bytes());
    add("master.m3u8", manifest::multivariant(index));
    add("manifest.mpd", manifest::presentation(index));
    add("iframes.m3u8", manifest::keyframe_playlist(&index.video[0]).unwrap());
    add("index.vtt", manifest::storyboard_cues(storyboard, index.duration_ms));
    for name in ["v0", "a0", "s0", "b0"] {
        add(name, manifest::playlist(index, name).unwrap());
    }
    files
}

#[tokio::test]
async fn two_packagings_of_the_same_source_are_the_same_bytes() {
    let text = file("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n");
    let source = Film::new("320x180", "25", 5).input(&["-i", text.path.to_str().unwrap()]);
    let source = source.chapters(&[("Intro", 0, 1), ("Film", 1, 5)]).make("mkv");
    let folder = tempfile::tempdir().unwrap();
    let fragments = ["-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-movflags"];
    let video = Film::silent("320x180", "25", 5).and(&fragments);
    let flags = "+frag_keyframe+empty_moov+default_base_moof+delay_moov+skip_trailer";
    video.and(&[flags]).write(&folder.path().join("v0.mp4"));
    let flags = "+empty_moov+default_base_moof+skip_trailer+cmaf";
    let audio = Film::sound_alone(5, &["-c:a", "aac", "-movflags", flags, "-frag_duration", "2000000"]);
    audio.write(&folder.path().join("a0.mp4"));

    let (first, second) = (
        packaged(folder.path(), &source.path).await,
        packaged(folder.path(), &source.path).await,
    );
    assert!(first.keys().any(|key| key.ends_with("/b0/1.jpg")));
    assert!(
        first.keys().any(|key| key.ends_with("/s0/1.vtt")) && first.len() >= 18,
        "{:?}",
        first.keys()
    );
    for (name, bytes) in &first {
        assert!(second.get(name) == Some(bytes), "{name}");
    }
    assert_eq!(first.len(), second.len());
}
