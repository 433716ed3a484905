//! What a title plays, as curators know it: where parts of the video lie.

use axum::{Json, extract::State};
use contract::{
    TitleId,
    streaming::{ForVideo, Marker, SetMarkers, StreamingError},
};
use utoipa_axum::routes;

use crate::{
    api::Answer,
    dto::{
        admin::{UpdateVideo, Video},
        milliseconds,
        playback::{NewChapter, Span},
    },
    extract::{Json as Body, Path},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![route(Policy::Curator, routes!(update_video))]
}

/// Says where parts of the video lie that the title plays now, all of them or none. Another video brings its own.
#[utoipa::path(patch, path = "/api/v1/admin/titles/{id}/video", tag = "admin", params(("id" = String, Path)),
    request_body = UpdateVideo, responses((status = 200, body = Video)))]
async fn update_video(
    State(gateway): State<Gateway>,
    Path(title): Path<TitleId>,
    Body(body): Body<UpdateVideo>,
) -> Answer<Video> {
    let streaming = &gateway.doors.streaming;
    let credits = body.credits_at_s.map(|at_s| Marker::Credits(at_s.map(milliseconds)));
    let span = |span: Span| (milliseconds(span.start_s), milliseconds(span.end_s));
    let intro = body.intro.map(|intro| Marker::Intro(intro.map(span)));
    let chapters = body.chapters.map(|chapters| {
        let said = |all: Vec<NewChapter>| all.into_iter().map(Into::into).collect();
        Marker::Chapters(chapters.map(said))
    });
    let markers: Vec<Marker> = credits.into_iter().chain(intro).chain(chapters).collect();
    let video = if markers.is_empty() {
        streaming.video(ForVideo { title }).await?
    } else {
        let marked = streaming.set_markers(SetMarkers { title, markers }).await?;
        // It counts for whoever is watching, too.
        gateway.playbacks.invalidate_all();
        marked
    };
    Ok(Json(video.into()))
}

/// Absent where the title plays nothing.
pub async fn video_of(gateway: &Gateway, title: TitleId) -> Result<Option<Video>, Problem> {
    match gateway.doors.streaming.video(ForVideo { title }).await {
        Ok(video) => Ok(Some(video.into())),
        Err(StreamingError::NotPlayable) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
