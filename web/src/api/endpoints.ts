/** Every request a viewer's pages make, by name. Curators' requests are in `admin-endpoints.ts`. */
import { answer, client, repeatable } from "./client";
import type { components, paths } from "./schema";
import type { Home, Id, MyRating, Preferences } from "./types";

export interface Credentials {
  email: string;
  password: string;
}

export const logIn = (body: Credentials) => answer(client.POST("/api/v1/auth/login", { body }));
export const register = (body: Credentials & { name: string }) =>
  answer(client.POST("/api/v1/auth/register", { body }));

/** The house's first admin, made with the token that the server printed when it started. */
export const setUp = (body: Credentials & { name: string; token: string }) =>
  answer(client.POST("/api/v1/auth/setup", { body }));

export const logOut = () => answer(client.POST("/api/v1/auth/logout", { body: {} }));
export const logOutEverywhere = () => answer(client.POST("/api/v1/auth/logout-all"));
export const changePassword = (body: { current_password: string; new_password: string }) =>
  answer(client.POST("/api/v1/auth/password", { body }));

export const me = (signal?: AbortSignal) => answer(client.GET("/api/v1/me", { signal }));
export const sessions = (signal?: AbortSignal) => answer(client.GET("/api/v1/auth/sessions", { signal }));
export const endSession = (id: Id) => answer(client.DELETE("/api/v1/auth/sessions/{id}", { params: { path: { id } } }));

export interface ProfileDraft {
  name: string;
  avatar: string;
  kids: boolean;
  maturity_max: number;
}

export const createProfile = (body: ProfileDraft) =>
  answer(client.POST("/api/v1/profiles", { body, headers: repeatable() }));
export const updateProfile = (id: Id, body: Partial<ProfileDraft> & { preferences?: Preferences }) =>
  answer(client.PATCH("/api/v1/profiles/{id}", { params: { path: { id } }, body }));
export const deleteProfile = (id: Id) => answer(client.DELETE("/api/v1/profiles/{id}", { params: { path: { id } } }));

/** A party, before one joins it. */
export const party = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/parties/{id}", { params: { path: { id } }, signal }));

export const genres = (signal?: AbortSignal) => answer(client.GET("/api/v1/genres", { signal }));
export const onboarding = (signal?: AbortSignal) => answer(client.GET("/api/v1/onboarding", { signal }));
export const finishOnboarding = (body: { genres: string[]; title_ids: Id[] }) =>
  answer(client.POST("/api/v1/onboarding", { body, headers: repeatable() }));

export const home = (signal?: AbortSignal): Promise<Home> => answer(client.GET("/api/v1/home", { signal }));
export const title = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/titles/{id}", { params: { path: { id } }, signal }));
export const similar = (id: Id, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/titles/{id}/similar", { params: { path: { id } }, signal }));

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;
export type BrowseFilter = Omit<Query<"/api/v1/titles">, "limit" | "cursor">;
export type SearchQuery = Query<"/api/v1/search">;

export const browse = (filter: BrowseFilter, cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/titles", { params: { query: { ...filter, limit: 48, cursor } }, signal }));
export const search = (query: SearchQuery, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/search", { params: { query: { ...query, limit: 48 } }, signal }));

/** Stars or like; the newest counts. */
export const rate = (id: Id, body: MyRating) =>
  answer(client.PUT("/api/v1/titles/{id}/rating", { params: { path: { id } }, body, headers: repeatable() }));
export const removeRating = (id: Id) =>
  answer(client.DELETE("/api/v1/titles/{id}/rating", { params: { path: { id } } }));

export const addToList = (title_id: Id) =>
  answer(client.PUT("/api/v1/my-list/{title_id}", { params: { path: { title_id } } }));
export const removeFromList = (title_id: Id) =>
  answer(client.DELETE("/api/v1/my-list/{title_id}", { params: { path: { title_id } } }));
export const myList = (cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/my-list", { params: { query: { limit: 60, cursor } }, signal }));

export const history = (cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/history", { params: { query: { limit: 40, cursor } }, signal }));
export const removeFromHistory = (title_id: Id) =>
  answer(client.DELETE("/api/v1/history/{title_id}", { params: { path: { title_id } } }));
export const markWatched = (id: Id, watched: boolean) =>
  answer(client.PUT("/api/v1/titles/{id}/watched", { params: { path: { id } }, body: { watched } }));

export const ratings = (cursor?: string, signal?: AbortSignal) =>
  answer(client.GET("/api/v1/ratings", { params: { query: { limit: 40, cursor } }, signal }));

export const startPlayback = (title_id: Id, signal?: AbortSignal) =>
  answer(client.POST("/api/v1/playback", { body: { title_id }, signal }));

export interface Position {
  position_s: number;
  state: "playing" | "paused" | "ended";
  at: string;
}

/** Outlives the page: the last position of a player that is closed arrives too. */
export const sendPosition = (session_id: Id, body: Position) =>
  answer(
    client.POST("/api/v1/playback/{session_id}/progress", { params: { path: { session_id } }, body, keepalive: true }),
  );

export type QualityReport = components["schemas"]["ReportQuality"];

/** Outlives the page as well: how a showing went is said when it is over. */
export const sendQuality = (session_id: Id, body: QualityReport) =>
  answer(
    client.POST("/api/v1/playback/{session_id}/quality", { params: { path: { session_id } }, body, keepalive: true }),
  );
