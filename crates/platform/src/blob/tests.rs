//! Files on disk.

mod s3;

use super::{disk::copy_in, *};

fn store() -> (tempfile::TempDir, BlobStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&folder.path().join("files")).unwrap();
    (folder, store)
}

#[tokio::test]
async fn files_are_stored_read_listed_and_deleted() {
    let (_folder, store) = store();
    store.put("media/a/seg-1.m4s", vec![1, 2, 3, 4]).await.unwrap();
    store.put("media/a/seg-2.m4s", vec![5]).await.unwrap();
    store.put("media/ab/seg-1.m4s", vec![6]).await.unwrap();
    store.put("media/a/seg-2.m4s", vec![7, 8]).await.unwrap();

    assert_eq!(store.get("media/a/seg-2.m4s").await.unwrap(), [7, 8].as_slice());
    assert_eq!(
        store.get_range("media/a/seg-1.m4s", 1..3).await.unwrap(),
        [2, 3].as_slice()
    );
    assert_eq!(
        store.get_range("media/a/seg-1.m4s", 2..99).await.unwrap(),
        [3, 4].as_slice()
    );
    assert_eq!(store.size("media/a/seg-1.m4s").await.unwrap(), Some(4));
    assert_eq!(
        std::fs::read(store.local_path("media/a/seg-1.m4s").unwrap().unwrap()).unwrap(),
        [1, 2, 3, 4]
    );
    let listed: Vec<_> = store
        .list("media/a/")
        .await
        .unwrap()
        .into_iter()
        .map(|file| (file.key, file.bytes))
        .collect();
    assert_eq!(
        listed,
        [("media/a/seg-1.m4s".to_owned(), 4), ("media/a/seg-2.m4s".to_owned(), 2)]
    );
    assert_eq!(store.list("").await.unwrap().len(), 3);

    store.delete("media/ab/seg-1.m4s").await.unwrap();
    store.delete("media/ab/seg-1.m4s").await.unwrap();
    assert_eq!(store.delete_all("media/a").await.unwrap(), 2);
    assert_eq!(store.list("").await.unwrap(), []);
    assert!(!store.local_path("media/a").unwrap().unwrap().exists());
    assert_eq!(store.size("media/a/seg-1.m4s").await.unwrap(), None);
    assert!(
        matches!(store.get("media/a/seg-1.m4s").await, Err(BlobError::NotFound(key)) if key == "media/a/seg-1.m4s")
    );
}

#[tokio::test]
async fn a_file_is_moved_in() {
    let (folder, store) = store();
    let upload = folder.path().join("upload");
    std::fs::write(&upload, b"video").unwrap();
    store.put_file("uploads/1/source", &upload).await.unwrap();
    assert!(!upload.exists());
    assert_eq!(store.get("uploads/1/source").await.unwrap(), b"video".as_slice());
    assert!(store.put_file("uploads/2/source", &upload).await.is_err());

    std::fs::write(&upload, b"again").unwrap();
    store.put_copy("uploads/3/source", &upload).await.unwrap();
    assert_eq!(store.get("uploads/3/source").await.unwrap(), b"again".as_slice());
    let back = folder.path().join("back");
    assert_eq!(store.fetch("uploads/3/source", &back).await.unwrap(), 5);
    assert_eq!(std::fs::read(&back).unwrap(), b"again");
    let missing = store.fetch("uploads/4/source", &back).await;
    assert!(matches!(missing, Err(BlobError::NotFound(_))) && !back.exists());
    store.delete("uploads/3/source").await.unwrap();
    assert!(upload.exists(), "copied");

    // From another disk, by copying.
    std::fs::write(&upload, b"other").unwrap();
    copy_in(&upload, &store.local_path("uploads/1/source").unwrap().unwrap()).unwrap();
    assert!(!upload.exists());
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

/// What a thread that waits reads is what the others read.
#[tokio::test]
async fn a_thread_that_waits_reads_files() {
    let (_folder, store) = store();
    store.put("models/1/ease", vec![1, 2, 3]).await.unwrap();
    assert_eq!(here(&store, "models/1/ease").await.unwrap(), [1, 2, 3].as_slice());
    assert!(matches!(here(&store, "models/2/ease").await, Err(BlobError::NotFound(key)) if key == "models/2/ease"));
    assert!(matches!(
        here(&store, "models/1").await,
        Err(BlobError::Fault(Fault::Unavailable(_)))
    ));
    assert!(matches!(here(&store, "../x").await, Err(BlobError::InvalidKey(_))));
}

async fn here(store: &BlobStore, key: &'static str) -> Result<Bytes, BlobError> {
    let (store, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let read = tokio::task::spawn_blocking(move || store.get_here(key, &runtime));
    read.await.unwrap()
}

#[tokio::test]
async fn keys_never_leave_the_folder() {
    let (_folder, store) = store();
    let long = "a".repeat(1025);
    for key in [
        "",
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//b",
        "a/",
        "./a",
        "a/.hidden",
        "a\\b",
        "a b",
        "é",
        "a\0",
        "a%2e",
        &long,
    ] {
        assert!(
            matches!(store.put(key, vec![1]).await, Err(BlobError::InvalidKey(_))),
            "put {key:?}"
        );
        assert!(
            matches!(store.get(key).await, Err(BlobError::InvalidKey(_))),
            "get {key:?}"
        );
        assert!(store.local_path(key).is_err(), "path of {key:?}");
    }
    assert!(store.delete_all("").await.is_err(), "never everything");
    assert!(store.list("..").await.is_err());
}

proptest::proptest! {
    /// Whatever a key looks like, it is refused or names a place inside.
    #[test]
    fn no_key_leads_outside(key in "[a./_é\\\\%-]{0,12}") {
        if let Ok(parsed) = parse(&key) {
            let place = Path::new("/files").join(parsed.as_ref());
            proptest::prop_assert!(place.starts_with("/files"));
            proptest::prop_assert!(place.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::RootDir)));
            proptest::prop_assert_eq!(parsed.as_ref(), key.as_str());
        }
    }
}

#[tokio::test]
async fn a_first_file_stays_the_first() {
    let (_folder, store) = store();
    assert!(store.put_new("keys/a", vec![1]).await.unwrap());
    assert!(!store.put_new("keys/a", vec![2]).await.unwrap());
    assert_eq!(store.get("keys/a").await.unwrap(), [1].as_slice());
}

#[tokio::test]
async fn a_probe_sees_a_folder_that_takes_nothing() {
    let (folder, store) = store();
    store.probe("a").await.unwrap();
    store.put("probes/b", vec![1]).await.unwrap();
    assert_eq!(store.list("").await.unwrap(), [], "nobody sees one under way");
    std::fs::remove_dir_all(folder.path().join("files")).unwrap();
    // A file stands where the folder was: nobody can write there, whatever their rights.
    std::fs::write(folder.path().join("files"), "").unwrap();
    store.probe("a").await.unwrap_err();
}

#[tokio::test]
async fn the_folders_below_another_are_known_without_their_files() {
    let (_folder, store) = store();
    assert_eq!(store.folders("assets").await.unwrap(), Vec::<String>::new());
    for key in [
        "assets/z9/v0/1.m4s",
        "assets/z9/v1/1.m4s",
        "assets/a1/index.json",
        "assets/note",
        "models/m/x",
    ] {
        store.put(key, vec![1]).await.unwrap();
    }
    assert_eq!(store.folders("assets").await.unwrap(), ["a1", "z9"]);
    store.delete_all("assets/a1").await.unwrap();
    assert_eq!(store.folders("assets").await.unwrap(), ["z9"]);
}

#[tokio::test]
async fn a_store_that_fails_now_and_then_fails_nobody() {
    let (folder, store) = store();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writes = count.clone();
    let every_tenth = store.disturbed(Arc::new(move || {
        let is_tenth = writes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 10 == 9;
        Box::pin(async move {
            match is_tenth {
                true => Err(std::io::Error::other("input/output error")),
                false => Ok(()),
            }
        })
    }));
    for number in 0..40_u8 {
        every_tenth.put(&format!("a/{number}"), vec![number]).await.unwrap();
        let film = folder.path().join("film");
        std::fs::write(&film, [number]).unwrap();
        every_tenth.put_file(&format!("b/{number}"), &film).await.unwrap();
    }
    assert_eq!(store.list("").await.unwrap().len(), 80);
    assert_eq!(store.get("b/39").await.unwrap(), [39].as_slice());
    assert_eq!(
        count.load(std::sync::atomic::Ordering::SeqCst),
        88,
        "each of the eight that failed was done once more"
    );
}

#[tokio::test]
async fn a_store_that_is_full_or_gone_is_said_soon() {
    let (_folder, store) = store();
    for (kind, tries, is_full) in [
        (std::io::ErrorKind::StorageFull, 1, true),
        (std::io::ErrorKind::PermissionDenied, 3, false),
    ] {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let writes = count.clone();
        let broken = store.disturbed(Arc::new(move || {
            writes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Box::pin(async move { Err(kind.into()) })
        }));
        let answer = broken.put("a/b", vec![1]).await;
        assert_eq!(
            matches!(&answer, Err(BlobError::Fault(Fault::StorageFull(_)))),
            is_full,
            "{answer:?}"
        );
        assert!(answer.is_err());
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), tries, "{kind:?}");
    }
}
