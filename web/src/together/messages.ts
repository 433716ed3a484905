/** What is said over a party's socket; the server's `parties/messages.rs` says the same. Times are of the server's steady clock. */

export type MemberId = string;

/** Where the film is: at `position_s` at `at_ms`, which may be a moment ahead, so that all begin at once. */
export interface FilmState {
  playing: boolean;
  position_s: number;
  at_ms: number;
  rate: number;
  revision: number;
  /** The film stands still until these have their picture. */
  waiting_for: MemberId[];
  by: MemberId | null;
}

export interface Member {
  id: MemberId;
  name: string;
  avatar: string;
  present: boolean;
  voice: boolean;
  muted: boolean;
}

export interface Line {
  from: MemberId;
  name: string;
  text: string;
  at_ms: number;
}

export interface Candidate {
  candidate: string;
  sdp_mid: string | null;
  sdp_m_line_index: number | null;
  username_fragment: string | null;
}

export type Signal =
  | { type: "offer"; from: MemberId; sdp: string }
  | { type: "answer"; from: MemberId; sdp: string }
  | ({ type: "candidate"; from: MemberId } & Candidate);

export type ToMember =
  | { type: "welcome"; you: MemberId; seat: string; title_id: string; now_ms: number; chat: Line[] }
  | ({ type: "state" } & FilmState)
  | { type: "members"; members: Member[]; host: MemberId; everyone_controls: boolean }
  | ({ type: "chat" } & Line)
  | { type: "pong"; sent_ms: number; received_ms: number; answered_ms: number }
  | { type: "ice"; servers: RTCIceServer[] }
  | { type: "refused"; code: string; detail: string }
  | Signal;

export type FromMember =
  | { type: "ping"; sent_ms: number }
  | { type: "control"; playing: boolean; position_s: number; rate: number; at_ms: number }
  | { type: "waiting"; waiting: boolean }
  | { type: "chat"; text: string }
  | { type: "hand_over"; member: MemberId }
  | { type: "settings"; everyone_controls: boolean }
  | { type: "voice"; on: boolean; muted: boolean }
  | { type: "offer"; to: MemberId; sdp: string }
  | { type: "answer"; to: MemberId; sdp: string }
  | ({ type: "candidate"; to: MemberId } & Candidate)
  | { type: "leave" };

export const CHAT_CHARS_MAX = 500;
