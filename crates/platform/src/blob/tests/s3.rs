//! Files in a bucket of a real server.

use std::time::Instant;

use super::*;
use crate::test_support::S3Server;

fn store_of(config: &Config) -> BlobStore {
    BlobStore::configured(config, Path::new("/nowhere")).unwrap()
}

fn unavailable(error: BlobError) -> String {
    match error {
        BlobError::Fault(Fault::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bucket_holds_files_as_a_folder_does() {
    let server = S3Server::start().await;
    for prefix in ["", "kinora/of-ours"] {
        let config = Config {
            prefix: prefix.into(),
            ..server.config()
        };
        let store = store_of(&config);
        store.put("media/a/seg-1.m4s", vec![1, 2, 3, 4]).await.unwrap();
        store.put("media/a/seg-2.m4s", vec![5]).await.unwrap();
        store.put("media/ab/seg-1.m4s", vec![6]).await.unwrap();
        store.put("media/a/seg-2.m4s", vec![7, 8]).await.unwrap();
        assert_eq!(store.get("media/a/seg-2.m4s").await.unwrap(), [7, 8].as_slice());
        assert_eq!(here(&store, "media/a/seg-2.m4s").await.unwrap(), [7, 8].as_slice());
        let part = |range| store.get_range("media/a/seg-1.m4s", range);
        assert_eq!(part(1..3).await.unwrap(), [2, 3].as_slice());
        assert_eq!(part(2..99).await.unwrap(), [3, 4].as_slice());
        assert_eq!(store.size("media/a/seg-1.m4s").await.unwrap(), Some(4));
        assert_eq!(store.local_path("media/a/seg-1.m4s").unwrap(), None);
        let listed = store.list("media/a/").await.unwrap();
        let listed: Vec<_> = listed.iter().map(|file| (&file.key[..], file.bytes)).collect();
        assert_eq!(listed, [("media/a/seg-1.m4s", 4), ("media/a/seg-2.m4s", 2)]);
        assert_eq!(store.list("").await.unwrap().len(), 3);
        assert_eq!(store.folders("media").await.unwrap(), ["a", "ab"]);

        assert!(store.put_new("keys/a", vec![1]).await.unwrap());
        assert!(!store.put_new("keys/a", vec![2]).await.unwrap());
        assert_eq!(store.get("keys/a").await.unwrap(), [1].as_slice());

        store.probe("a").await.unwrap();
        store.delete("media/ab/seg-1.m4s").await.unwrap();
        store.delete("media/ab/seg-1.m4s").await.unwrap();
        assert_eq!(store.delete_all("media/a").await.unwrap(), 2);
        store.delete("keys/a").await.unwrap();
        assert_eq!(store.list("").await.unwrap(), []);
        assert_eq!(store.size("media/a/seg-1.m4s").await.unwrap(), None);
        for gone in [
            store.get("media/a/seg-1.m4s").await,
            here(&store, "media/a/seg-1.m4s").await,
        ] {
            assert!(matches!(gone, Err(BlobError::NotFound(key)) if key == "media/a/seg-1.m4s"));
        }
    }
    assert_eq!(server.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_comes_back_whole() {
    let server = S3Server::start().await;
    let store = store_of(&server.config());
    let folder = tempfile::tempdir().unwrap();
    let (film, back) = (folder.path().join("film"), folder.path().join("back"));
    // Of whole parts, and of a little more; and one that is none.
    for bytes in [0, 3 * bucket::PART_BYTES, 2 * bucket::PART_BYTES + 12_345] {
        let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        std::fs::write(&film, &content).unwrap();
        store.put_file("films/a", &film).await.unwrap();
        assert!(!film.exists(), "it was moved");
        assert_eq!(store.size("films/a").await.unwrap(), Some(bytes));
        std::fs::write(&back, "what is replaced").unwrap();
        assert_eq!(store.fetch("films/a", &back).await.unwrap(), bytes);
        assert!(std::fs::read(&back).unwrap() == content, "{bytes} bytes");
    }
    let missing = store.fetch("films/b", &back).await;
    assert!(matches!(missing, Err(BlobError::NotFound(_))), "{missing:?}");
    store.put_file("films/b", &film).await.unwrap_err();
    store.delete_all("films").await.unwrap();
    assert_eq!(server.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_no_parts() {
    let server = S3Server::start().await;
    let store = store_of(&server.config());
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film");
    std::fs::File::create(&film)
        .unwrap()
        .set_len(40 * bucket::PART_BYTES)
        .unwrap();
    {
        let mut put = std::pin::pin!(store.put_file("films/a", &film));
        let until_a_part_is_there = async {
            while server.everything().await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = &mut put => panic!("it was quick: {ended:?}"),
            () = until_a_part_is_there => {}
        }
    }
    let began = Instant::now();
    while !server.everything().await.is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            server.everything().await
        );
        tokio::task::yield_now().await;
    }
    assert_eq!(store.list("").await.unwrap(), []);
    assert!(film.exists(), "it was not moved");
}

#[tokio::test]
async fn more_files_than_one_answer_names_are_listed_and_deleted() {
    let server = S3Server::start().await;
    let store = store_of(&server.config());
    let put = |number| {
        let store = store.clone();
        async move { store.put(&format!("many/{number}"), vec![1]).await }
    };
    let all = futures::stream::iter(0..1_100).map(put).buffer_unordered(16);
    all.try_collect::<()>().await.unwrap();
    assert_eq!(store.list("many").await.unwrap().len(), 1_100);
    assert_eq!(store.delete_all("many").await.unwrap(), 1_100);
    assert_eq!(server.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said_with_what_to_do() {
    let mut server = S3Server::start().await;
    let right = server.config();
    store_of(&right).put("a", vec![1]).await.unwrap();
    let said = async |config: Config| {
        let store = store_of(&config);
        let errors = [
            unavailable(store.get("a").await.unwrap_err()),
            unavailable(store.put("a", vec![2]).await.unwrap_err()),
            unavailable(store.delete_all("a").await.unwrap_err()),
            unavailable(store.probe("x").await.unwrap_err()),
        ];
        for error in &errors {
            assert!(!error.contains("hush") && !error.contains("the secret of"), "{error}");
        }
        errors
    };
    let unknown = Config {
        access_key_id: "NOBODY".into(),
        secret_access_key: Secret::new("hush"),
        ..right.clone()
    };
    let wrong_secret = Config {
        secret_access_key: Secret::new("hush"),
        ..right.clone()
    };
    for (config, code) in [(unknown, "InvalidAccessKeyId"), (wrong_secret, "SignatureDoesNotMatch")] {
        for error in said(config).await {
            assert!(
                error.contains(code) && error.contains("storage.access_key_id"),
                "{error}"
            );
        }
    }
    let elsewhere = Config {
        bucket: "no-films".into(),
        ..right.clone()
    };
    let store = store_of(&elsewhere);
    let error = unavailable(store.get("a").await.unwrap_err());
    assert!(
        error.contains("there is not the bucket no-films") && error.contains("storage.bucket"),
        "{error}"
    );
    server.kill();
    let began = Instant::now();
    let error = unavailable(store_of(&right).get("a").await.unwrap_err());
    assert!(
        error.contains("does not answer") && error.contains("storage.endpoint"),
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    server.come_back().await;
    assert_eq!(store_of(&right).get("a").await.unwrap(), [1].as_slice());
}
