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
  const change = (part: Partial<Look>) => preferences.change({ look: { ...look, ...part } });
  const options = <T extends string>(values: readonly T[], labels: Record<T, string>) =>
    values.map((value) => ({ value, label: labels[value] }));
  return (
    <Panel title={words.look} onClose={onClose} onBack={onBack} backName={words.lookBack}>
      <div className="player-menu__sample">
        <div className="subtitles" {...lookAttributes(look)}>
          <p data-align="center">
            <span>{words.lookSample}</span>
          </p>
        </div>
      </div>
      <Choice
        legend={words.size}
        name="size"
        options={options(SIZES, words.sizes)}
        chosen={look.size}
        onChoose={(size) => change({ size })}
        short
      />
      <Choice
        legend={words.colour}
        name="colour"
        options={options(COLOURS, words.colours)}
        chosen={look.colour}
        onChoose={(colour) => change({ colour })}
        short
      />
      <Choice
        legend={words.background}
        name="background"
        options={options(BACKGROUNDS, words.backgrounds)}
        chosen={look.background}
        onChoose={(background) => change({ background })}
        short
      />
      <Choice
        legend={words.edge}
        name="edge"
        options={options(EDGES, words.edges)}
        chosen={look.edge}
        onChoose={(edge) => change({ edge })}
        short
      />
      <p className="player-menu__none muted">{words.lookHint}</p>
    </Panel>
  );
}
