/** Every request a viewer's pages make, by name. Curators' requests are in `admin-endpoints.ts`. */
import { newIdempotencyKey, request } from "./http";
import type {
  Card,
  Genre,
  HistoryEntry,
  Home,
  Id,
  Me,
  MyRating,
  Onboarding,
  Page,
  Playback,
  PlayState,
  Profile,
  RatedTitle,
  RatingAnswer,
  RowItem,
  SearchAnswer,
  Session,
  Title,
} from "./types";

const id = encodeURIComponent;

export interface Credentials {
  email: string;
  password: string;
}

export const logIn = (body: Credentials) => request<unknown>("POST", "/auth/login", { body, withoutRefresh: true });

export const register = (body: Credentials & { name: string }) =>
  request<unknown>("POST", "/auth/register", { body, withoutRefresh: true, idempotencyKey: newIdempotencyKey() });

export const logOut = () => request<void>("POST", "/auth/logout", { body: {} });
export const logOutEverywhere = () => request<void>("POST", "/auth/logout-all", { body: {} });

export const changePassword = (body: { current_password: string; new_password: string }) =>
  request<void>("POST", "/auth/password", { body });

export const me = (signal?: AbortSignal) => request<Me>("GET", "/me", { signal });
export const sessions = (signal?: AbortSignal) => request<{ items: Session[] }>("GET", "/auth/sessions", { signal });
export const endSession = (session: Id) => request<void>("DELETE", `/auth/sessions/${id(session)}`);

export type ProfileDraft = Partial<Omit<Profile, "id">> & { name: string };

export const createProfile = (body: ProfileDraft) =>
  request<Profile>("POST", "/profiles", { body, idempotencyKey: newIdempotencyKey() });
export const updateProfile = (profile: Id, body: Partial<Omit<Profile, "id">>) =>
  request<Profile>("PATCH", `/profiles/${id(profile)}`, { body });
export const deleteProfile = (profile: Id) => request<void>("DELETE", `/profiles/${id(profile)}`);

export const genres = (signal?: AbortSignal) => request<{ genres: Genre[] }>("GET", "/genres", { signal });
export const onboarding = (signal?: AbortSignal) => request<Onboarding>("GET", "/onboarding", { signal });
export const finishOnboarding = (body: { genres: string[]; title_ids: Id[] }) =>
  request<void>("POST", "/onboarding", { body, idempotencyKey: newIdempotencyKey() });

export const home = (signal?: AbortSignal) => request<Home>("GET", "/home", { signal });
export const title = (titleId: Id, signal?: AbortSignal) => request<Title>("GET", `/titles/${id(titleId)}`, { signal });
export const similar = (titleId: Id, signal?: AbortSignal) =>
  request<{ items: (Card | RowItem)[] }>("GET", `/titles/${id(titleId)}/similar`, { signal });

export interface BrowseFilter {
  genre?: string;
  kind?: string;
  year_min?: number;
  year_max?: number;
  sort?: string;
}

export const browse = (filter: BrowseFilter, cursor?: string, signal?: AbortSignal) =>
  request<Page<Card>>("GET", "/titles", { query: { ...filter, limit: 48, cursor }, signal });

export const search = (query: { q: string; genre?: string; kind?: string; cursor?: string }, signal?: AbortSignal) =>
  request<SearchAnswer>("GET", "/search", { query: { ...query, limit: 48 }, signal });

export const rate = (titleId: Id, body: MyRating) =>
  request<RatingAnswer>("PUT", `/titles/${id(titleId)}/rating`, { body, idempotencyKey: newIdempotencyKey() });
export const removeRating = (titleId: Id) => request<RatingAnswer>("DELETE", `/titles/${id(titleId)}/rating`);

export const addToList = (titleId: Id) => request<void>("PUT", `/my-list/${id(titleId)}`);
export const removeFromList = (titleId: Id) => request<void>("DELETE", `/my-list/${id(titleId)}`);
export const myList = (cursor?: string, signal?: AbortSignal) =>
  request<Page<Card | RowItem>>("GET", "/my-list", { query: { limit: 60, cursor }, signal });

export const history = (cursor?: string, signal?: AbortSignal) =>
  request<Page<HistoryEntry>>("GET", "/history", { query: { limit: 40, cursor }, signal });
export const removeFromHistory = (titleId: Id) => request<void>("DELETE", `/history/${id(titleId)}`);
export const markWatched = (titleId: Id, watched: boolean) =>
  request<void>("PUT", `/titles/${id(titleId)}/watched`, { body: { watched } });

export const ratings = (cursor?: string, signal?: AbortSignal) =>
  request<Page<RatedTitle>>("GET", "/ratings", { query: { limit: 40, cursor }, signal });

export const startPlayback = (titleId: Id, signal?: AbortSignal) =>
  request<Playback>("POST", "/playback", { body: { title_id: titleId }, signal });

export interface Position {
  position_s: number;
  state: PlayState;
  at: string;
}

export const sendPosition = (session: Id, body: Position) =>
  request<void>("POST", `/playback/${id(session)}/progress`, { body, keepalive: true });
