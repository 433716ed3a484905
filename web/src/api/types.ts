/** What the server says: the shapes of the answers under /api/v1 that the pages use. */

export type Id = string;
export type TitleKind = "movie" | "series" | "episode";
export type Role = "viewer" | "curator" | "admin";

export interface Progress {
  position_s: number;
  duration_s: number;
  fraction: number;
}

export interface MyRating {
  stars?: number | null;
  like?: boolean | null;
}

export interface Card {
  id: Id;
  name: string;
  year?: number | null;
  kind: TitleKind;
  genres: string[];
  poster_url: string;
  backdrop_url: string;
  average_rating?: number | null;
  ratings_count: number;
  maturity?: number | null;
  progress?: Progress | null;
  playable: boolean;
  my_rating?: MyRating | null;
  in_my_list?: boolean | null;
}

/** A title that a reason points at; older servers send the bare id. */
export type ReasonSource = { id: Id; name: string } | Id;

export interface Reason {
  text: string;
  because: ReasonSource[];
}

export type RowKind =
  | "continue_watching"
  | "top_picks"
  | "trending"
  | "because_you_watched"
  | "genre"
  | "new"
  | "my_list"
  | "popular";

export interface RowItem {
  title: Card;
  reason?: Reason | null;
}

export interface HomeRow {
  id: string;
  kind: RowKind;
  title: string;
  reason?: Reason | null;
  items: RowItem[];
}

export interface Hero {
  title: Card;
  description?: string | null;
  reason?: Reason | null;
}

export interface Home {
  page_id: Id;
  hero?: Hero | null;
  rows: HomeRow[];
}

export interface Credit {
  id: Id;
  name: string;
  role: string;
  character?: string | null;
}

export interface Episode {
  id: Id;
  number: number;
  name: string;
  description?: string | null;
  duration_s?: number | null;
  backdrop_url?: string;
  progress?: Progress | null;
  playable: boolean;
}

export interface Season {
  number: number;
  name?: string | null;
  episodes: Episode[];
}

export interface RatingBucket {
  stars: number;
  count: number;
}

export interface Title extends Card {
  original_name?: string | null;
  description?: string | null;
  duration_s?: number | null;
  languages?: string[];
  countries?: string[];
  people: Credit[];
  seasons: Season[];
  rating_histogram: RatingBucket[];
  watched?: boolean;
  why?: Reason | null;
  series?: { id: Id; name: string; season?: number; episode?: number } | null;
}

export interface RatingAnswer {
  average_rating?: number | null;
  ratings_count: number;
  my_rating?: MyRating | null;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface SearchAnswer {
  items: Card[];
  people?: { id: Id; name: string }[];
  facets: { genres?: FacetValue[]; kinds?: FacetValue[]; decades?: FacetValue[] };
  next_cursor?: string | null;
}

export interface Genre {
  name: string;
  count: number;
}

export interface Onboarding {
  genres: Genre[];
  titles: Card[];
}

export interface Preferences {
  genres: string[];
  languages: string[];
  content_types: string[];
}

export interface Profile {
  id: Id;
  name: string;
  avatar?: string | null;
  kids: boolean;
  maturity_max: number;
  preferences: Preferences;
}

export interface Account {
  id: Id;
  email: string;
  name: string;
  role: Role;
}

export interface Me {
  account: Account;
  profiles: Profile[];
  profile_id?: Id | null;
}

export interface Session {
  id: Id;
  user_agent?: string | null;
  address?: string | null;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

export interface HistoryEntry {
  title: Card;
  last_watched_at: string;
  progress?: Progress | null;
  my_rating?: MyRating | null;
}

export interface RatedTitle {
  title: Card;
  stars?: number | null;
  like?: boolean | null;
  rated_at: string;
}

export interface Subtitle {
  language: string;
  label: string;
  url: string;
}

export interface Playback {
  session_id: Id;
  hls_url: string;
  dash_url?: string | null;
  resume_at_s: number;
  duration_s: number;
  storyboard_url?: string | null;
  subtitles: Subtitle[];
  next_title_id?: Id | null;
}

export type PlayState = "playing" | "paused" | "ended";

export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Job {
  id: Id;
  kind: "transcode" | "import" | "train";
  state: JobState;
  progress: number;
  stage?: string | null;
  subject?: string | null;
  error?: string | null;
  outcome?: string | null;
  title_id?: Id | null;
  attempts: number;
  created_at: string;
  started_at?: string | null;
  finished_at?: string | null;
}

export interface Model {
  id: Id;
  state: "active" | "ready" | "refused" | "training";
  created_at: string;
  metrics: Record<string, number>;
  baseline?: Record<string, number> | null;
  decision?: string | null;
  train_s?: number | null;
}

export interface AdminTitle extends Card {
  description?: string | null;
  duration_s?: number | null;
  created_at?: string;
}

export interface TitleDraft {
  name: string;
  year?: number;
  kind: TitleKind;
  genres: string[];
  description?: string;
  maturity?: number;
}

export interface AdminUser {
  id: Id;
  email: string;
  name: string;
  role: Role;
  created_at: string;
}
