/** The requests of the curators' desk. */
import { answer, client, repeatable } from "./client";
import { BASE, Problem, send, WHOLE_FILE } from "./http";
import type { paths } from "./schema";
import type { AdminTitle, Id, Role, SubtitleFile } from "./types";

export const jobs = (cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/jobs", { params: { query: { limit: 50, cursor } }, signal }));
export const cancelJob = (id: Id) =>
  answer(client.POST("/api/v1/admin/jobs/{id}/cancel", { params: { path: { id } } }));
export const retryJob = (id: Id) => answer(client.POST("/api/v1/admin/jobs/{id}/retry", { params: { path: { id } } }));
export const putJobFirst = (id: Id) =>
  answer(client.POST("/api/v1/admin/jobs/{id}/first", { params: { path: { id } } }));
/** How far all films are that are being made or wait for it. */
export const filmsOutlook = (signal?: AbortSignal) => answer(client.GET("/api/v1/admin/jobs/outlook", { signal }));

export type AdminTitlesQuery = NonNullable<paths["/api/v1/admin/titles"]["get"]["parameters"]["query"]>;
export type TitleDraft = paths["/api/v1/admin/titles"]["post"]["requestBody"]["content"]["application/json"];
export type TitleChanges = paths["/api/v1/admin/titles/{id}"]["patch"]["requestBody"]["content"]["application/json"];

export const adminTitles = (query: AdminTitlesQuery, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/titles", { params: { query: { ...query, limit: 50 } }, signal }));
/** All that can be changed of a title: no profile's maturity limit stands in between. */
export const adminTitle = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/titles/{id}", { params: { path: { id } }, signal }));
export const createTitle = (body: TitleDraft) =>
  answer(client.POST("/api/v1/admin/titles", { body, headers: repeatable() }));
export const updateTitle = (id: Id, body: TitleChanges) =>
  answer(client.PATCH("/api/v1/admin/titles/{id}", { params: { path: { id } }, body }));
export type VideoChanges =
  paths["/api/v1/admin/titles/{id}/video"]["patch"]["requestBody"]["content"]["application/json"];

/** Where parts of the title's video lie. */
export const updateVideo = (id: Id, body: VideoChanges) =>
  answer(client.PATCH("/api/v1/admin/titles/{id}/video", { params: { path: { id } }, body }));
export const deleteTitle = (id: Id) => answer(client.DELETE("/api/v1/admin/titles/{id}", { params: { path: { id } } }));

export type ArtworkShape = "poster" | "backdrop";

const artworkPath = (id: Id, shape: ArtworkShape) => `${BASE}/admin/titles/${encodeURIComponent(id)}/artwork/${shape}`;

/** Another picture for a title, as its bytes. */
export async function sendArtwork(id: Id, shape: ArtworkShape, picture: Blob): Promise<AdminTitle> {
  return (await send("PUT", artworkPath(id, shape), { body: picture, headers: { "Content-Type": WHOLE_FILE } })).json();
}

/** Back to the picture that Kinora draws. */
export const drawArtwork = (id: Id, shape: ArtworkShape) =>
  answer(client.DELETE("/api/v1/admin/titles/{id}/artwork/{shape}", { params: { path: { id, shape } } }));

/** Those that came as files of their own. */
export const subtitleFiles = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/titles/{id}/subtitles", { params: { path: { id } }, signal }));

/** A file of subtitles, as its bytes; in the place of another one of that name. Its name says whose language they are and what for. */
export async function sendSubtitles(id: Id, file: File): Promise<SubtitleFile> {
  // What a name says of that stands at its end.
  const filename = [...file.name].slice(-FILENAME_CHARACTERS_MAX).join("");
  const path = `${BASE}/admin/titles/${encodeURIComponent(id)}/subtitles?${new URLSearchParams({ filename })}`;
  return (await send("POST", path, { body: file, headers: { "Content-Type": WHOLE_FILE } })).json();
}
const FILENAME_CHARACTERS_MAX = 80;

export type SubtitleNames =
  paths["/api/v1/admin/titles/{id}/subtitles/{subtitles_id}"]["put"]["requestBody"]["content"]["application/json"];
export const nameSubtitles = (id: Id, subtitles_id: Id, body: SubtitleNames) =>
  answer(
    client.PUT("/api/v1/admin/titles/{id}/subtitles/{subtitles_id}", { params: { path: { id, subtitles_id } }, body }),
  );

export const removeSubtitles = (id: Id, subtitles_id: Id) =>
  answer(
    client.DELETE("/api/v1/admin/titles/{id}/subtitles/{subtitles_id}", { params: { path: { id, subtitles_id } } }),
  );

/** One's own uploads that are not whole, and what one may still send. */
export const unfinishedUploads = (signal?: AbortSignal) => answer(client.GET("/api/v1/admin/uploads", { signal }));

/** Gives an upload up; one that is gone already is no error. */
export async function removeUpload(id: Id): Promise<void> {
  const headers = { "Tus-Resumable": "1.0.0" };
  try {
    await send("DELETE", `${BASE}/admin/uploads/${encodeURIComponent(id)}`, { headers });
  } catch (cause) {
    if (!(cause instanceof Problem && (cause.status === 404 || cause.status === 410))) throw cause;
  }
}

/** `upload_ids`: finished uploads with purpose `dataset`. */
export const startImport = (body: { dataset: "movielens" | "movietweetings"; upload_ids: Id[] }) =>
  answer(client.POST("/api/v1/admin/imports", { body, headers: repeatable() }));

export const models = (cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/models", { params: { query: { cursor, limit: 50 } }, signal }));
export const trainModel = () => answer(client.POST("/api/v1/admin/models/train", { headers: repeatable() }));
export const activateModel = (id: Id) =>
  answer(client.POST("/api/v1/admin/models/{id}/activate", { params: { path: { id } } }));

export type PreviewQuery = paths["/api/v1/admin/models/{id}/home"]["get"]["parameters"]["query"];

/** The home page that a model would make. */
export const modelPage = (id: Id, query: PreviewQuery, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/models/{id}/home", { params: { path: { id }, query }, signal }));

/** What a model would have earned, from the log; reads thousands of pages. */
export const modelEstimate = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/models/{id}/estimate", { params: { path: { id } }, signal }));

export type ExperimentDraft = paths["/api/v1/admin/experiments"]["post"]["requestBody"]["content"]["application/json"];

export const experiments = (signal?: AbortSignal) => answer(client.GET("/api/v1/admin/experiments", { signal }));
/** With what it says so far. */
export const experiment = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/experiments/{id}", { params: { path: { id } }, signal }));
export const createExperiment = (body: ExperimentDraft) =>
  answer(client.POST("/api/v1/admin/experiments", { body, headers: repeatable() }));
export const stopExperiment = (id: Id) =>
  answer(client.POST("/api/v1/admin/experiments/{id}/stop", { params: { path: { id } } }));

export const users = (query: { q?: string; cursor?: string }, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/admin/users", { params: { query: { ...query, limit: 50 } }, signal }));
export const changeRole = (id: Id, role: Role) =>
  answer(client.PATCH("/api/v1/admin/users/{id}", { params: { path: { id } }, body: { role } }));
