//! What a title plays, as curators know it: where parts of the video lie.

use axum::{Json, extract::State};
use contract::{
    TitleId,
    streaming::{ForVideo, Marker, SetMarker, StreamingError},
};
use utoipa_axum::routes;

use crate::{
    api::Answer,
    dto::{
        admin::{UpdateVideo, Video},
        milliseconds,
        playback::Span,
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

/// Says where parts of the video lie that the title plays now, one after the other: what stands before one that is refused counts. Another video brings its own.
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
    let mut marked = None;
    for marker in credits.into_iter().chain(intro) {
        marked = Some(streaming.set_marker(SetMarker { title, marker }).await?);
        // It counts for whoever is watching, too.
        gateway.playbacks.invalidate_all();
    }
    let video = match marked {
        Some(video) => video,
        None => streaming.video(ForVideo { title }).await?,
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
