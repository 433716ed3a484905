/**
 * The API's shapes by their short names. They come from the server's OpenAPI document: `npm run generate` writes
 * `schema.d.ts` from the committed snapshot, and every build does so first.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Id = string;
export type Role = Schemas["Role"];
export type TitleKind = Schemas["TitleKind"];
export type Progress = Schemas["Progress"];
export type MyRating = Schemas["MyRating"];
export type NamedTitle = Schemas["NamedTitle"];
export type Reason = Schemas["Reason"];

export type Card = Schemas["Card"];
export type RowItem = Schemas["Item"];
export type RowKind = Schemas["RowKind"];
export type HomeRow = Schemas["Row"];
export type Hero = Schemas["Hero"];
export type Home = Schemas["Home"];

export type Title = Schemas["Title"];
export type Credit = Schemas["Credit"];
export type Season = Schemas["Season"];
export type Episode = Schemas["Episode"];
export type RatingCount = Schemas["RatingCount"];
export type RatingAnswer = Schemas["RatingAnswer"];

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export type FacetCount = Schemas["FacetCount"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type GenreCount = Schemas["GenreCount"];
export type Onboarding = Schemas["Onboarding"];

export type Preferences = Schemas["Preferences"];
export type Profile = Schemas["Profile"];
export type Account = Schemas["Account"];
export type Me = Schemas["Me"];
export type Session = Schemas["Session"];

export type HistoryEntry = Schemas["HistoryEntry"];
export type RatedTitle = Schemas["RatedTitle"];
export type Playback = Schemas["Playback"];
export type Party = Schemas["Party"];
export type PlayState = Schemas["PlayState"];
export type Subtitles = Schemas["Subtitles"];
export type SubtitleFile = Schemas["SubtitleFile"];
export type SubtitleKind = Schemas["SubtitleKind"];
export type Chapter = Schemas["Chapter"];

export type Job = Schemas["Job"];
export type Outlook = Schemas["Outlook"];
export type Metric = Schemas["Metric"];
export type Model = Schemas["Model"];
export type ModelEstimate = Schemas["ModelEstimate"];
export type Experiment = Schemas["Experiment"];
export type ExperimentDifference = Schemas["ExperimentDifference"];
export type ExperimentMethod = Schemas["ExperimentMethod"];
export type ExperimentMetric = Schemas["ExperimentMetric"];
export type ExperimentPreference = Schemas["ExperimentPreference"];
export type ExperimentWithResults = Schemas["ExperimentWithResults"];
export type AdminTitle = Schemas["AdminTitle"];
export type AdminTitleWhole = Schemas["AdminTitleWhole"];
export type Video = Schemas["Video"];
export type UnfinishedUpload = Schemas["Upload"];
