//! Files of subtitles beside what a title plays: sent by a curator, or found beside the film in a folder; named and taken away alike.

use axum::{
    Json,
    extract::{Request, State},
};
use contract::{
    Blob, SubtitlesId, TitleId,
    streaming::{self, AddSubtitles, ByName, ForVideo, RemoveSubtitles, StreamingError},
};
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    api::Answer,
    dto::{
        Items,
        subtitles::{AddSubtitlesQuery, NameSubtitles, SubtitleFile},
    },
    extract::{self, Json as Body, Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    state::Gateway,
};

/// Of one file; the room looks at what is in it.
const FILE_BYTES_MAX: usize = 4 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Curator, routes!(list_subtitles)),
        // A file is larger than what is kept for repeating, and sending it twice is the same as once.
        route(Policy::Curator, routes!(add_subtitles)).streaming(),
        route(Policy::Curator, routes!(name_subtitles, remove_subtitles)),
    ]
}

/// Those that came as files of their own, oldest first; at most 32. What lies within a video is not among them.
#[utoipa::path(get, path = "/api/v1/admin/titles/{id}/subtitles", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Items<SubtitleFile>)))]
async fn list_subtitles(State(gateway): State<Gateway>, Path(title): Path<TitleId>) -> Answer<Items<SubtitleFile>> {
    let files = gateway.doors.streaming.subtitle_files(ForVideo { title }).await?;
    let items = files.into_iter().map(Into::into).collect();
    Ok(Json(Items { items }))
}

/// A file of subtitles: SubRip, ASS, SSA or WebVTT by its content, in any encoding, at most 4 MiB. Whoever presses play next may choose it.
#[utoipa::path(post, path = "/api/v1/admin/titles/{id}/subtitles", tag = "admin",
    params(("id" = String, Path), AddSubtitlesQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = SubtitleFile)))]
async fn add_subtitles(
    State(gateway): State<Gateway>,
    Path(title): Path<TitleId>,
    Query(query): Query<AddSubtitlesQuery>,
    request: Request,
) -> Result<(StatusCode, Json<SubtitleFile>), Problem> {
    let body = extract::whole(request, FILE_BYTES_MAX).await?;
    let file = AddSubtitles {
        title,
        origin: format!("sent {}", query.filename),
        filename: query.filename,
        language: query.language,
        by_name: ByName {
            language: true,
            kind: query.kind.is_none(),
        },
        kind: query.kind.map(Into::into).unwrap_or_default(),
        body: Blob(body.into()),
    };
    let added = gateway.doors.streaming.add_subtitles(file).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// Whose language they are and what for. One that changes in its folder says it anew by its name.
#[utoipa::path(put, path = "/api/v1/admin/titles/{id}/subtitles/{subtitles_id}", tag = "admin",
    params(("id" = String, Path), ("subtitles_id" = String, Path)), request_body = NameSubtitles,
    responses((status = 200, body = SubtitleFile)))]
async fn name_subtitles(
    State(gateway): State<Gateway>,
    Path((title, id)): Path<(TitleId, SubtitlesId)>,
    Body(body): Body<NameSubtitles>,
) -> Answer<SubtitleFile> {
    let said = streaming::NameSubtitles {
        title,
        id,
        language: body.language,
        kind: body.kind.into(),
    };
    Ok(Json(gateway.doors.streaming.name_subtitles(said).await?.into()))
}

/// One that lies in a folder comes back only once it changes there.
#[utoipa::path(delete, path = "/api/v1/admin/titles/{id}/subtitles/{subtitles_id}", tag = "admin",
    params(("id" = String, Path), ("subtitles_id" = String, Path)), responses((status = 204)))]
async fn remove_subtitles(
    State(gateway): State<Gateway>,
    Path((title, id)): Path<(TitleId, SubtitlesId)>,
) -> Result<StatusCode, Problem> {
    let streaming = &gateway.doors.streaming;
    let files = streaming.subtitle_files(ForVideo { title }).await?;
    let found = files.into_iter().find(|file| file.id == id);
    let origin = found.ok_or(StreamingError::SubtitlesNotFound)?.origin;
    let id = Some(id);
    streaming
        .remove_subtitles(RemoveSubtitles { title, origin, id })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
