/** The bar of controls at the foot of the picture. */
import { type CSSProperties, useEffect, useState } from "react";
import type { Playback } from "@/api/types";
import { Icon, type IconName } from "@/components/icons";
import { clockTime, percent } from "@/lib/format";
import { strings } from "@/strings";
import type { Actions } from "./actions";
import type { Engine, EngineState } from "./engine";
import { SeekBar } from "./seek-bar";
import { SettingsPanel } from "./settings-panel";
import type { VideoState } from "./use-video";

const words = strings.player;

interface ControlsProps {
  playback: Playback;
  video: VideoState;
  actions: Actions;
  engine: Engine | undefined;
  engineState: EngineState;
  settingsOpen: boolean;
  onSettings: (open: boolean) => void;
  onHelp: () => void;
}

export function Controls({
  playback,
  video,
  actions,
  engine,
  engineState,
  settingsOpen,
  onSettings,
  onHelp,
}: ControlsProps) {
  const fullscreen = useFullscreen();
  return (
    <>
      {settingsOpen && (
        <SettingsPanel
          engine={engine}
          state={engineState}
          rate={video.rate}
          onRate={actions.setRate}
          onClose={() => onSettings(false)}
        />
      )}
      <div className="player__bottom">
        <SeekBar
          time={video.time}
          duration={video.duration}
          buffered={video.buffered}
          storyboardUrl={playback.storyboard_url}
          onSeek={actions.seekTo}
        />
        <div className="player__buttons">
          <Button
            icon={video.paused ? "play" : "pause"}
            name={video.paused ? words.play : words.pause}
            onClick={actions.toggle}
          />
          <Button icon="back10" name={words.replay10} className="player__ten" onClick={() => actions.seekBy(-10)} />
          <Button icon="forward10" name={words.forward10} className="player__ten" onClick={() => actions.seekBy(10)} />
          <Volume video={video} actions={actions} />
          <span className="player__time">
            {clockTime(video.time)} <span className="muted">/ {clockTime(video.duration)}</span>
          </span>
          <span className="player__space" />
          <Button icon="help" name={words.help} className="player__wide" onClick={onHelp} />
          <Button icon="gear" name={words.settings} expanded={settingsOpen} onClick={() => onSettings(!settingsOpen)} />
          {document.pictureInPictureEnabled && (
            <Button icon="pip" name={words.pictureInPicture} onClick={actions.picture} />
          )}
          {document.fullscreenEnabled && (
            <Button
              icon={fullscreen ? "unfull" : "full"}
              name={fullscreen ? words.exitFullscreen : words.fullscreen}
              onClick={actions.fullscreen}
            />
          )}
        </div>
      </div>
    </>
  );
}

interface ButtonProps {
  icon: IconName;
  name: string;
  className?: string;
  expanded?: boolean;
  onClick: () => void;
}

function Button({ icon, name, className, expanded, onClick }: ButtonProps) {
  return (
    <button
      type="button"
      className={className ? `icon-button ${className}` : "icon-button"}
      aria-label={name}
      title={name}
      aria-expanded={expanded}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

function Volume({ video, actions }: { video: VideoState; actions: Actions }) {
  const silent = video.muted || video.volume === 0;
  const level = silent ? 0 : video.volume;
  return (
    <div className="volume">
      <Button icon={silent ? "muted" : "volume"} name={silent ? words.unmute : words.mute} onClick={actions.mute} />
      <input
        type="range"
        className="range"
        min={0}
        max={1}
        step={0.05}
        value={level}
        aria-label={words.volume}
        aria-valuetext={percent(level)}
        style={{ "--fill": percent(level) } as CSSProperties}
        onChange={(event) => actions.setVolume(Number(event.target.value))}
      />
    </div>
  );
}

function useFullscreen(): boolean {
  const [on, setOn] = useState(document.fullscreenElement !== null);
  useEffect(() => {
    const read = () => setOn(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", read);
    return () => document.removeEventListener("fullscreenchange", read);
  }, []);
  return on;
}
