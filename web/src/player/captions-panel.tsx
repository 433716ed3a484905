/** Subtitles and how they look, and the sound's track. */
import { useState } from "react";
import type { Subtitles } from "@/api/types";
import { Icon } from "@/components/icons";
import { playerEn as words } from "@/strings/player-en";
import { type AudioTrack, audioLabel, choosable, subtitlesLabel } from "./languages";
import { Choice, Panel } from "./panel";
import { BACKGROUNDS, COLOURS, EDGES, type Look, preferences, SIZES, usePreferences } from "./preferences";
import { lookAttributes } from "./subtitles";

interface PanelProps {
  audio: readonly AudioTrack[];
  playingAudio: number;
  onAudio: (track: AudioTrack) => void;
  subtitles: readonly Subtitles[];
  chosen: Subtitles | undefined;
  onSubtitles: (subtitles: Subtitles | undefined) => void;
  onClose: () => void;
}

export function CaptionsPanel(props: PanelProps) {
  const [look, setLook] = useState(false);
  if (look) return <LookPanel onBack={() => setLook(false)} onClose={props.onClose} />;
  return <TracksPanel {...props} onLook={() => setLook(true)} />;
}

function TracksPanel(props: PanelProps & { onLook: () => void }) {
  const { audio, playingAudio, onAudio, subtitles, chosen, onSubtitles, onLook, onClose } = props;
  const offered = choosable(subtitles);
  return (
    <Panel title={words.captionsTitle} onClose={onClose}>
      {offered.length > 0 ? (
        <Choice
          legend={words.subtitles}
          name="subtitles"
          options={[
            { value: "", label: words.off },
            ...offered.map((entry) => ({ value: entry.id, label: subtitlesLabel(entry) })),
          ]}
          chosen={chosen?.id ?? ""}
          onChoose={(id) => onSubtitles(offered.find((entry) => entry.id === id))}
        />
      ) : (
        <p className="player-menu__none muted">{words.subtitlesNone}</p>
      )}
      {audio.length > 1 && (
        <Choice
          legend={words.audio}
          name="audio"
          options={audio.map((track) => ({ value: track.index, label: audioLabel(track) }))}
          chosen={playingAudio}
          onChoose={(index) => {
            const track = audio[index];
            if (track) onAudio(track);
          }}
        />
      )}
      <button type="button" className="player-menu__more" onClick={onLook}>
        <span>{words.look}</span>
        <Icon name="right" />
      </button>
    </Panel>
  );
}

/** A sample stands above the choices: most moments of a film have no line to judge by. */
function LookPanel({ onBack, onClose }: { onBack: () => void; onClose: () => void }) {
  const { look } = usePreferences();
  const choice = <Part extends keyof Look>(
    part: Part,
    legend: string,
    values: readonly Look[Part][],
    labels: Record<Look[Part], string>,
  ) => (
    <Choice
      legend={legend}
      name={part}
      options={values.map((value) => ({ value, label: labels[value] }))}
      chosen={look[part]}
      onChoose={(value) => preferences.change({ look: { ...look, [part]: value } })}
      short
    />
  );
  return (
    <Panel title={words.look} onClose={onClose} onBack={onBack} backName={words.lookBack}>
      <div className="player-menu__sample">
        <div className="subtitles" {...lookAttributes(look)}>
          <p data-align="center">
            <span>{words.lookSample}</span>
          </p>
        </div>
      </div>
      {choice("size", words.size, SIZES, words.sizes)}
      {choice("colour", words.colour, COLOURS, words.colours)}
      {choice("background", words.background, BACKGROUNDS, words.backgrounds)}
      {choice("edge", words.edge, EDGES, words.edges)}
      <p className="player-menu__none muted">{words.lookHint}</p>
    </Panel>
  );
}
