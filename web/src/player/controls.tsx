/** The bar of controls at the foot of the picture. */
import { type CSSProperties, type ReactNode, type RefObject, useEffect, useState } from "react";
import { Icon, type IconName } from "@/components/icons";
import { clockTime, percent } from "@/lib/format";
import { playerEn as words } from "@/strings/player-en";
import type { Actions } from "./actions";
import type { Part } from "./chapters";
import { usePreferences } from "./preferences";
import { SeekBar } from "./seek-bar";
import type { VideoState } from "./use-video";

export type PanelName = "captions" | "chapters" | "settings";

interface ControlsProps {
  bar: RefObject<HTMLDivElement | null>;
  video: VideoState;
  actions: Actions;
  storyboardUrl: string | null | undefined;
  chapters: readonly Part[];
  /** Whether there is anything to choose beside the picture. */
  tracks: boolean;
  subtitlesOn: boolean;
  panel: PanelName | undefined;
  onPanel: (panel: PanelName | undefined) => void;
  onHelp: () => void;
  /** Whether the party is on the screen; undefined where there is none. */
  together: boolean | undefined;
  onTogether: () => void;
}

export function Controls(props: ControlsProps) {
  const { bar, video, actions, storyboardUrl, chapters } = props;
  return (
    <div className="player__bottom" ref={bar} role="group" aria-label={words.controls}>
      <SeekBar
        time={video.time}
        duration={video.duration}
        buffered={video.buffered}
        storyboardUrl={storyboardUrl}
        chapters={chapters}
        position={actions.position}
        onSeek={actions.seekTo}
        onJump={actions.jumpTo}
      />
      <div className="player__buttons">
        <Button
          icon={video.paused ? "play" : "pause"}
          name={video.paused ? words.play : words.pause}
          shortcut="k"
          onClick={actions.toggle}
        />
        <StepButtons actions={actions} />
        <Volume video={video} actions={actions} />
        <span className="player__time">
          {clockTime(video.time)} <span className="muted">/ {clockTime(video.duration)}</span>
        </span>
        <span className="player__space" />
        <MenuButtons {...props} />
        <ScreenButtons actions={actions} inPicture={video.inPicture} />
      </div>
    </div>
  );
}

/** The way forth and back without dragging; in the middle of the picture where that is what fingers reach. */
export function StepButtons({ actions, children }: { actions: Actions; children?: ReactNode }) {
  return (
    <>
      <Button
        icon="back10"
        name={words.replay10}
        shortcut="j"
        className="player__ten"
        onClick={() => actions.seekBy(-10)}
      />
      {children}
      <Button
        icon="forward10"
        name={words.forward10}
        shortcut="l"
        className="player__ten"
        onClick={() => actions.seekBy(10)}
      />
    </>
  );
}

function MenuButtons(props: ControlsProps) {
  const { chapters, tracks, subtitlesOn, panel, onPanel, onHelp, together, onTogether } = props;
  const toggle = (name: PanelName) => () => onPanel(panel === name ? undefined : name);
  return (
    <>
      <Button
        icon="together"
        name={words.together}
        className={together === undefined ? undefined : "player__on"}
        pressed={together === true}
        onClick={onTogether}
      />
      <Button icon="help" name={words.help} shortcut="?" className="player__wide" onClick={onHelp} />
      {chapters.length > 1 && (
        <Button
          icon="chapters"
          name={words.chapters}
          className="player__wide"
          expanded={panel === "chapters"}
          onClick={toggle("chapters")}
        />
      )}
      {tracks && (
        <Button
          icon="captions"
          name={words.captions}
          className={subtitlesOn ? "player__on" : undefined}
          expanded={panel === "captions"}
          onClick={toggle("captions")}
        />
      )}
      <Button icon="gear" name={words.settings} expanded={panel === "settings"} onClick={toggle("settings")} />
    </>
  );
}

function ScreenButtons({ actions, inPicture }: { actions: Actions; inPicture: boolean }) {
  const fullscreen = useFullscreen();
  return (
    <>
      {document.pictureInPictureEnabled && (
        <Button
          icon="pip"
          name={words.pictureInPicture}
          shortcut="i"
          className="player__wide"
          pressed={inPicture}
          onClick={actions.picture}
        />
      )}
      {document.fullscreenEnabled && (
        <Button
          icon={fullscreen ? "unfull" : "full"}
          name={fullscreen ? words.exitFullscreen : words.fullscreen}
          shortcut="f"
          onClick={actions.fullscreen}
        />
      )}
    </>
  );
}

interface ButtonProps {
  icon: IconName;
  name: string;
  shortcut?: string;
  className?: string;
  expanded?: boolean;
  pressed?: boolean;
  onClick: () => void;
}

export function Button({ icon, name, shortcut, className, expanded, pressed, onClick }: ButtonProps) {
  const { singleKeys } = usePreferences();
  const key = singleKeys ? shortcut : undefined;
  return (
    <button
      type="button"
      className={className ? `icon-button ${className}` : "icon-button"}
      aria-label={name}
      title={key ? words.withKey(name, key) : name}
      aria-keyshortcuts={key}
      aria-expanded={expanded}
      aria-haspopup={expanded === undefined ? undefined : "dialog"}
      aria-pressed={pressed}
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
      <Button
        icon={silent ? "muted" : "volume"}
        name={silent ? words.unmute : words.mute}
        shortcut="m"
        onClick={actions.mute}
      />
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
