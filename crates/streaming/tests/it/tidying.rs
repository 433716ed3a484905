//! Tidying up where something cannot be removed.

use contract::{UploadId, streaming::Streaming as _};
use testkit::films::film;

use crate::{
    support::House,
    uploads::{dataset, piece},
};

#[tokio::test]
async fn what_cannot_be_removed_holds_nothing_else_up_and_goes_once_it_can() {
    let mut house = House::new().await;
    let clip = film("160x90", "25", 1);
    let mut assets = Vec::new();
    for _ in 0..3 {
        assets.push(house.play(&clip.path).await.asset);
    }
    house.rest().await;
    let strays = [house.new_asset(), house.new_asset()];
    for stray in strays {
        let key = format!("assets/{stray}/v0/1.m4s");
        house.blobs.put(&key, "written for nobody").await.unwrap();
    }
    // No key can name such a file; somebody made it by hand.
    let nameless =
        [assets[0], strays[0]].map(|asset| house.data.path().join(format!("blobs/assets/{asset}/1 (copy).m4s")));
    for path in &nameless {
        std::fs::write(path, "").unwrap();
    }
    // A folder where a file should be.
    let mut uploads = Vec::new();
    for _ in 0..2 {
        uploads.push(house.room.create_upload(dataset(10)).await.unwrap().id);
    }
    house.room.append_upload(piece(uploads[1], 0, b"1234")).await.unwrap();
    let orphans = [UploadId(house.new_asset().0), UploadId(house.new_asset().0)];
    let file = |upload: UploadId| house.data.path().join(format!("uploads/{upload}"));
    std::fs::remove_file(file(uploads[0])).unwrap();
    for folder in [uploads[0], orphans[0]] {
        std::fs::create_dir(file(folder)).unwrap();
    }
    std::fs::write(file(orphans[1]), "whose").unwrap();

    house.clock.advance(8 * 86_400_000);
    house.room.tidy().await.unwrap();
    let left = house.blobs.folders("assets").await.unwrap();
    let mut expected: Vec<String> = [assets[0], assets[2], strays[0]]
        .iter()
        .map(ToString::to_string)
        .collect();
    expected.sort();
    assert_eq!(left, expected);
    let mut expected: Vec<String> = [uploads[0], orphans[0]].iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(house.lying_in("uploads"), expected);

    nameless.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    [uploads[0], orphans[0]]
        .iter()
        .for_each(|upload| std::fs::remove_dir(file(*upload)).unwrap());
    house.room.tidy().await.unwrap();
    assert_eq!(house.blobs.folders("assets").await.unwrap(), [assets[2].to_string()]);
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
    assert_eq!(house.start().await.unwrap().asset, assets[2]);
}
