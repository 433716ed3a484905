/** The requests of the curators' desk. */
import { newIdempotencyKey, request } from "./http";
import type { AdminTitle, AdminUser, Id, Job, Model, Page, Role, TitleDraft } from "./types";

const id = encodeURIComponent;

export const jobs = (cursor?: string, signal?: AbortSignal) =>
  request<Page<Job>>("GET", "/admin/jobs", { query: { limit: 50, cursor }, signal });
export const cancelJob = (job: Id) => request<Job>("POST", `/admin/jobs/${id(job)}/cancel`);
export const retryJob = (job: Id) => request<Job>("POST", `/admin/jobs/${id(job)}/retry`);

export const adminTitles = (query: { q?: string; sort?: string; cursor?: string }, signal?: AbortSignal) =>
  request<Page<AdminTitle>>("GET", "/admin/titles", { query: { ...query, limit: 50 }, signal });
export const createTitle = (body: TitleDraft) =>
  request<AdminTitle>("POST", "/admin/titles", { body, idempotencyKey: newIdempotencyKey() });
export const updateTitle = (title: Id, body: Partial<TitleDraft>) =>
  request<AdminTitle>("PATCH", `/admin/titles/${id(title)}`, { body });
export const deleteTitle = (title: Id) => request<void>("DELETE", `/admin/titles/${id(title)}`);

export interface ImportRequest {
  dataset: "movielens" | "movietweetings";
  path?: string;
  upload_ids?: Id[];
}

export const startImport = (body: ImportRequest) =>
  request<Job>("POST", "/admin/imports", { body, idempotencyKey: newIdempotencyKey() });

export const models = (signal?: AbortSignal) => request<{ items: Model[] }>("GET", "/admin/models", { signal });
export const trainModel = () =>
  request<Job>("POST", "/admin/models/train", { body: {}, idempotencyKey: newIdempotencyKey() });
export const activateModel = (model: Id) => request<void>("POST", `/admin/models/${id(model)}/activate`);

export const users = (query: { q?: string; cursor?: string }, signal?: AbortSignal) =>
  request<Page<AdminUser>>("GET", "/admin/users", { query: { ...query, limit: 50 }, signal });
export const changeRole = (user: Id, role: Role) =>
  request<AdminUser>("PATCH", `/admin/users/${id(user)}`, { body: { role } });
