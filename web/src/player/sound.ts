/**
 * The sound of a film as hls.js sees it, and as a viewer chooses it. For every number of channels that any track has, a playlist
 * holds a group with all tracks and all rungs once more (RFC 8216, 4.3.4.1.1), since each group is a whole of its own. hls.js would
 * mix them: so it is held to one group, as it holds itself to one pathway of several, until a sound is chosen that only another has.
 */
import type Hls from "hls.js";
import type { Level, MediaPlaylist } from "hls.js";
import { type AudioTrack, audioRole } from "./languages";

const NO_PATHWAY = ".";
const STEREO = 2;

export class Sound {
  /** Each track once in each number of channels that it has: what is said first, then fewest channels first. */
  readonly tracks: AudioTrack[];
  private readonly groups: readonly string[];
  private group: string | undefined;
  private holds = 0;

  constructor(
    private readonly hls: Hls,
    private readonly levels: readonly Level[],
    private readonly all: readonly MediaPlaylist[],
  ) {
    this.groups = [...new Set(levels.flatMap(groupsOf))];
    this.tracks = tracksOf(all);
  }

  /** Begins with this sound, or with the film's own; to be called before any of it is loaded. */
  begin(track: AudioTrack | undefined) {
    if (track) this.choose(track.index);
    // The one of the lowest rung has the fewest channels.
    else this.hold(this.groups[0]);
  }

  choose(index: number) {
    const track = this.tracks[index];
    const same = this.all.filter((one) => track && isSame(track, one));
    const found = same.find(({ groupId }) => groupId === this.group) ?? same[0];
    if (!found) return;
    this.hls.setAudioOption(found);
    // With a new group hls.js goes on with what it plays; only there can it take another.
    if (this.hold(found.groupId)) this.hls.setAudioOption(found);
  }

  /** Which of the tracks hls.js speaks of. */
  indexOf({ groupId, name }: Pick<MediaPlaylist, "groupId" | "name">): number {
    const found = this.all.find((one) => one.groupId === groupId && one.name === name);
    return found ? this.tracks.findIndex((track) => isSame(track, found)) : -1;
  }

  /** The rungs that are climbed now, in their order. */
  rungs(): readonly Level[] {
    const group = this.group;
    return group === undefined ? this.levels : this.levels.filter((level) => groupsOf(level).includes(group));
  }

  /** Whether it is another group than before. */
  private hold(group: string | undefined): boolean {
    if (this.groups.length < 2 || group === undefined || group === this.group) return false;
    this.group = group;
    this.holds += 1;
    // A new name each time: for minutes hls.js does not go back to a pathway in which anything has failed.
    const pathway = `${group} ${this.holds}`;
    const rungs = this.rungs();
    for (const level of this.levels) level.attrs["PATHWAY-ID"] = rungs.includes(level) ? pathway : NO_PATHWAY;
    this.hls.pathwayPriority = [pathway];
    return true;
  }
}

const groupsOf = ({ audioGroups }: Pick<Level, "audioGroups">) =>
  (audioGroups ?? []).filter((group) => group !== undefined);

const channelsOf = ({ channels }: Pick<MediaPlaylist, "channels">) => Number.parseInt(channels ?? "", 10) || STEREO;

const isSame = (track: AudioTrack, one: MediaPlaylist) =>
  track.name === one.name && track.language === (one.lang ?? "") && track.channels === channelsOf(one);

function tracksOf(all: readonly MediaPlaylist[]): AudioTrack[] {
  const tracks: AudioTrack[] = [];
  for (const one of all) {
    if (tracks.some((track) => isSame(track, one))) continue;
    tracks.push({
      index: tracks.length,
      name: one.name,
      language: one.lang ?? "",
      channels: channelsOf(one),
      // What no player takes by itself is one, whatever it is called.
      role: one.autoselect === false ? "commentary" : audioRole(one.name, one.characteristics),
      isDefault: one.default === true,
    });
  }
  const names = [...new Set(tracks.map(nameOf))];
  const place = (track: AudioTrack) => names.indexOf(nameOf(track));
  tracks.sort((a, b) => place(a) - place(b) || a.channels - b.channels);
  return tracks.map((track, index) => ({ ...track, index }));
}

const nameOf = ({ name, language }: AudioTrack) => `${language} ${name}`;

/** Whether more than two loudspeakers can be heard, as far as the browser knows. */
export function hearsAround(): boolean {
  try {
    const context = new AudioContext();
    const { maxChannelCount } = context.destination;
    void context.close();
    return maxChannelCount > STEREO;
  } catch {
    return false;
  }
}
