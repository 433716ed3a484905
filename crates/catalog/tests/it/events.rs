//! What the catalogue hears: averages, videos, and its own changes made elsewhere.

use std::borrow::Cow;

use contract::{
    AssetId, TitleId,
    activity::TitleRatings,
    catalog::{EpisodePlace, ForTitle, GetCards, NewTitle, TitleKind},
    events::EventBody,
};
use platform::{Db, Migrations, outbox};
use sqlx::migrate::Migrator;

use crate::support::{Fixture, browse, film, fixtures};

const NO_TABLES: Migrations = Migrations {
    sqlite: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
    postgres: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
};

/// Says it as another room would.
async fn tell(fixture: &Fixture, room: &'static str, bodies: Vec<EventBody>) {
    let db: Db = fixture.database.open(room, &NO_TABLES).await;
    let mut tx = db.begin().await.unwrap();
    for body in bodies {
        outbox::append(&mut tx, &fixture.inputs.event(body)).await.unwrap();
    }
    tx.commit().await.unwrap();
    fixture.bus.attach(&db).await.unwrap();
    fixture.bus.settle().await.unwrap();
}

pub async fn tell_ratings(fixture: &Fixture, titles: Vec<TitleRatings>) {
    tell(fixture, "activity", vec![EventBody::RatingsChanged { titles }]).await;
}

fn figures(title: TitleId, fives: u64, version: i64) -> TitleRatings {
    let mut figures = TitleRatings {
        version,
        ..TitleRatings::none(title)
    };
    figures.histogram[9] = fives;
    figures
}

#[tokio::test]
async fn averages_honour_few_votes_and_only_grow_newer() {
    for fixture in fixtures().await {
        let title = fixture.add(film("Ran", 1985, &["Drama"])).await.card.id;
        let bodies = [figures(title, 5, 20), figures(title, 1, 10), figures(TitleId(9), 3, 1)]
            .map(|figures| EventBody::RatingsChanged { titles: vec![figures] });
        tell(&fixture, "activity", bodies.to_vec()).await;
        let card = |fixture: &Fixture| {
            let door = fixture.door.clone();
            async move { door.cards(GetCards { titles: vec![title] }).await.unwrap().remove(0) }
        };
        let now = card(&fixture).await;
        assert_eq!(
            (now.ratings_count, now.average_rating),
            (5, Some(4.25)),
            "{}: 5 × 5 and a prior of 5 × 3.5",
            fixture.name
        );
        let again = card(&fixture.reopened().await).await;
        assert_eq!(
            (again.ratings_count, again.average_rating),
            (5, Some(4.25)),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn a_video_makes_an_episode_and_its_series_playable() {
    for fixture in fixtures().await {
        let series = fixture
            .add(NewTitle {
                kind: TitleKind::Series,
                ..film("Shoah", 1985, &["Documentary"])
            })
            .await
            .card
            .id;
        let place = Some(EpisodePlace {
            series,
            season: 1,
            episode: 1,
        });
        let episode = NewTitle {
            kind: TitleKind::Episode,
            place,
            ..film("Part one", 1985, &["Documentary"])
        };
        let episode = fixture.add(episode).await.card.id;
        let ready = |asset| EventBody::AssetReady {
            title: episode,
            asset: AssetId(asset),
            duration_ms: 60_000,
            height: 720,
        };
        tell(&fixture, "streaming", vec![ready(5), ready(4), ready(5)]).await;
        let title = fixture.door.title(ForTitle { title: episode }).await.unwrap();
        let video = title.video.unwrap();
        assert_eq!(
            (video.asset, video.height, title.card.duration_ms),
            (AssetId(5), 720, Some(60_000)),
            "{}",
            fixture.name
        );
        let playable = contract::catalog::Browse {
            playable_only: true,
            ..browse()
        };
        assert_eq!(fixture.names(playable.clone()).await, ["Shoah"]);
        let again = fixture.reopened().await;
        assert_eq!(again.names(playable).await, ["Shoah"], "{}", fixture.name);
        let door = again.door.title(ForTitle { title: episode }).await.unwrap();
        assert!(door.card.playable);
    }
}

#[tokio::test]
async fn a_removed_video_is_gone_and_another_stays() {
    for fixture in fixtures().await {
        let title = fixture.add(film("Ran", 1985, &["Drama"])).await.card.id;
        let ready = EventBody::AssetReady {
            title,
            asset: AssetId(8),
            duration_ms: 1_000,
            height: 360,
        };
        let removed = |asset| EventBody::AssetRemoved {
            title,
            asset: AssetId(asset),
        };
        tell(&fixture, "streaming", vec![ready, removed(7)]).await;
        assert!(
            fixture.door.title(ForTitle { title }).await.unwrap().card.playable,
            "{}",
            fixture.name
        );
        tell(&fixture, "streaming2", vec![removed(8)]).await;
        let after = fixture.door.title(ForTitle { title }).await.unwrap();
        assert_eq!(
            (after.video, after.card.playable, after.card.duration_ms),
            (None, false, None),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn an_edit_does_not_undo_what_another_process_changed() {
    for fixture in fixtures().await.into_iter().take(2) {
        let title = fixture.add(film("Playtime", 1966, &["Comedy"])).await.card.id;
        let ready = EventBody::AssetReady {
            title,
            asset: AssetId(8),
            duration_ms: 1_000,
            height: 360,
        };
        tell(&fixture, "streaming", vec![ready]).await;
        let other = fixture.beside().await;
        let edit = |name: Option<&str>, year| contract::catalog::UpdateTitle {
            name: name.map(str::to_owned),
            year,
            ..contract::catalog::UpdateTitle::of(title)
        };
        other.door.update(edit(None, Some(1967))).await.unwrap();
        // At once, before the news of it can have arrived.
        let card = fixture.door.update(edit(Some("PlayTime"), None)).await.unwrap().card;
        assert_eq!(
            (&*card.name, card.year, card.duration_ms),
            ("PlayTime", Some(1967), Some(1_000)),
            "{}",
            fixture.name
        );
        let removed = EventBody::AssetRemoved {
            title,
            asset: AssetId(8),
        };
        tell(&fixture, "streaming2", vec![removed]).await;
        let card = fixture.door.title(ForTitle { title }).await.unwrap().card;
        assert_eq!(card.duration_ms, None, "{}: the length was the video's", fixture.name);
    }
}

#[tokio::test]
async fn what_another_process_changes_shows_up_here() {
    for fixture in fixtures().await.into_iter().take(2) {
        let other = fixture.beside().await;
        let title = other.add(film("Playtime", 1967, &["Comedy"])).await.card.id;
        fixture.bus.settle().await.unwrap();
        assert_eq!(fixture.names(browse()).await, ["Playtime"], "{}", fixture.name);
        assert_eq!(fixture.found("playt").await, ["Playtime"]);
        other.door.delete(ForTitle { title }).await.unwrap();
        fixture.bus.settle().await.unwrap();
        assert!(fixture.names(browse()).await.is_empty(), "{}", fixture.name);
    }
}
