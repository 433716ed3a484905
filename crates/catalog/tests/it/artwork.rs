//! Pictures: drawn ones, uploaded ones, and what is not one.

use contract::{
    Blob,
    catalog::{ArtworkShape, CatalogError, ForTitle, GetArtwork, SetArtwork},
};

use crate::support::{film, fixtures};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0";

#[tokio::test]
async fn a_drawn_picture_gives_way_to_an_uploaded_one_and_returns() {
    for fixture in fixtures().await {
        let card = fixture.add(film("Ran", 1985, &["Drama"])).await.card;
        let get = GetArtwork {
            title: card.id,
            shape: ArtworkShape::Poster,
        };
        let drawn = fixture.door.artwork(get).await.unwrap();
        assert_eq!(
            (drawn.content_type.as_str(), drawn.version),
            ("image/svg+xml", card.artwork_version)
        );
        assert!(drawn.body.0.starts_with(b"<svg "), "{}", fixture.name);
        let upload = |body: Option<&[u8]>| SetArtwork {
            title: card.id,
            shape: ArtworkShape::Poster,
            body: body.map(|bytes| Blob(bytes.to_vec())),
        };
        let changed = fixture.door.set_artwork(upload(Some(PNG))).await.unwrap();
        assert_eq!(changed.artwork_version, card.artwork_version + 1);
        let uploaded = fixture.door.artwork(get).await.unwrap();
        assert_eq!(
            (uploaded.content_type.as_str(), uploaded.body.0.as_slice()),
            ("image/png", PNG),
            "{}",
            fixture.name
        );
        let backdrop = fixture
            .door
            .artwork(GetArtwork {
                shape: ArtworkShape::Backdrop,
                ..get
            })
            .await
            .unwrap();
        assert_eq!(backdrop.content_type, "image/svg+xml", "the other shape stays drawn");
        fixture.door.set_artwork(upload(None)).await.unwrap();
        let again = fixture.door.artwork(get).await.unwrap();
        assert_eq!(
            (again.body, again.version),
            (drawn.body, card.artwork_version + 2),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    for fixture in fixtures().await {
        let card = fixture.add(film("Ran", 1985, &["Drama"])).await.card;
        let large = [PNG, &vec![0; 5 * 1024 * 1024]].concat();
        let bad: [&[u8]; 5] = [
            b"",
            b"<svg onload='alert(1)'/>",
            b"GIF89a",
            b"RIFF\0\0\0\0WAVEfmt ",
            &large,
        ];
        for body in bad {
            let request = SetArtwork {
                title: card.id,
                shape: ArtworkShape::Poster,
                body: Some(Blob(body.to_vec())),
            };
            let refused = fixture.door.set_artwork(request).await;
            assert!(
                matches!(refused, Err(CatalogError::ArtworkInvalid(_))),
                "{}: {refused:?}",
                fixture.name
            );
        }
        let title = fixture.door.title(ForTitle { title: card.id }).await.unwrap();
        assert_eq!(title.card.artwork_version, card.artwork_version, "{}", fixture.name);
    }
}
