/** The player: a picture, its controls, and everything that may happen while it plays. */
import { lazy, Suspense } from "react";
import { showToast } from "@/components/toast";
import { preferences, usePreferences } from "./preferences";
import { playerEn as words } from "@/strings/player-en";
import { CaptionsPanel } from "./captions-panel";
import { ChaptersPanel } from "./chapters";
import { Controls } from "./controls";
import type { Trouble } from "./engine";
import { choosable, likedAudio } from "./languages";
import { NextCard } from "./next";
import { Ended, KeyboardHelp, TroubleView } from "./overlays";
import { SettingsPanel } from "./settings-panel";
import { Middle, Resumed, SkipIntro, Surface, TopBar } from "./stage";
import { Statistics } from "./statistics";
import { SubtitleLines } from "./subtitles";
import { type PlayerProps, type Showing, useShowing } from "./use-showing";

/** Loaded when somebody opens or joins a party. */
const TogetherPanel = lazy(() => import("@/together/panel").then((module) => ({ default: module.TogetherPanel })));

/** Troubles in which the address of this showing is of no more use. */
const PRESS_PLAY: ReadonlySet<Trouble> = new Set<Trouble>(["expired", "tooMany", "unknown"]);

export function Player(props: PlayerProps) {
  const { playback, title, titleId, onRenew } = props;
  const showing = useShowing(props);
  const { frame, element, state, video, flash, menus, actions, leave, idle } = showing;
  const { trouble } = state;
  return (
    <>
      <div ref={frame} className="player" data-idle={idle.idle} data-panel={menus.panel !== undefined}>
        <video ref={element} playsInline aria-label={title?.name ?? words.label} tabIndex={-1} />
        <Surface actions={actions} idle={idle} onDismiss={menus.panel ? () => menus.setPanel(undefined) : undefined} />
        <TopBar title={title} titleId={titleId} onLeave={leave} />
        <Middle video={video} troubled={trouble !== undefined} actions={actions} />
        <div role="status" aria-live="polite">
          {flash && <p className="player__flash">{flash}</p>}
        </div>
        <OnPicture showing={showing} playback={playback} />
        <Bar showing={showing} together={props.together} />
        <Menu showing={showing} />
        {trouble && (
          <TroubleView
            trouble={trouble}
            titleId={titleId}
            onRetry={() => (PRESS_PLAY.has(trouble) ? onRenew() : showing.engine?.retry())}
          />
        )}
        {video.ended && !showing.next.shown && !trouble && title && (
          <Ended
            title={title}
            nextId={playback.next_title_id}
            onAgain={() => {
              actions.seekTo(0);
              actions.play();
            }}
          />
        )}
        {menus.help && <KeyboardHelp onClose={() => menus.setHelp(false)} />}
      </div>
      <Party together={props.together} />
    </>
  );
}

/** Lines, offers and figures: what stands on the picture and must not stand on the controls. */
function OnPicture({ showing, playback }: { showing: Showing; playback: PlayerProps["playback"] }) {
  const { element, engine, meter, current, menus, cues, video, actions, next, alone } = showing;
  const { look } = usePreferences();
  const lines = (top: boolean) => <SubtitleLines cues={cues.filter((cue) => cue.top === top)} look={look} />;
  return (
    <>
      <div className="player__upper">{lines(true)}</div>
      {menus.statistics && (
        <Statistics
          element={element}
          engine={engine}
          meter={meter}
          session={current.session_id}
          onClose={() => menus.setStatistics(false)}
        />
      )}
      <div className="player__lower">
        <div className="player__lines">{lines(false)}</div>
        <div className="player__prompts">
          {!video.ended && alone && <Resumed at={playback.resume_at_s} onStartOver={() => actions.seekTo(0)} />}
          <SkipIntro intro={playback.intro} time={video.time} onSkip={actions.seekTo} />
        </div>
        {next.shown && (
          <NextCard id={next.shown} startsIn={next.startsIn} onStart={next.start} onCancel={next.cancel} />
        )}
      </div>
    </>
  );
}

function Party({ together: { session, shown, show, leave } }: Pick<PlayerProps, "together">) {
  if (!session || !shown) return null;
  return (
    <Suspense fallback={null}>
      <TogetherPanel session={session} onClose={() => show(false)} onLeave={leave} />
    </Suspense>
  );
}

function Bar({ showing, together }: { showing: Showing } & Pick<PlayerProps, "together">) {
  const { element, bar, video, actions, current, state, parts, subtitles, menus } = showing;
  return (
    <Controls
      bar={bar}
      video={video}
      actions={actions}
      storyboardUrl={current.storyboard_url}
      chapters={parts}
      tracks={choosable(current.subtitles).length > 0 || state.audio.length > 1}
      subtitlesOn={subtitles.chosen !== undefined}
      panel={menus.panel}
      onPanel={menus.setPanel}
      onHelp={() => menus.setHelp(true)}
      together={together.session && together.shown}
      onTogether={() => together.open(element.current).catch(() => showToast(words.togetherFailed))}
    />
  );
}

function Menu({ showing }: { showing: Showing }) {
  const { engine, state, video, actions, menus, current, subtitles, parts } = showing;
  const close = () => menus.setPanel(undefined);
  if (menus.panel === "settings")
    return (
      <SettingsPanel
        engine={engine}
        state={state}
        rate={video.rate}
        onRate={actions.setRate}
        statistics={menus.statistics}
        onStatistics={menus.setStatistics}
        onClose={close}
      />
    );
  if (menus.panel === "captions")
    return (
      <CaptionsPanel
        audio={state.audio}
        playingAudio={state.playingAudio}
        onAudio={(track) => {
          engine?.chooseAudio(track.index);
          preferences.change(likedAudio(state.audio, track));
        }}
        subtitles={current.subtitles}
        chosen={subtitles.chosen}
        onSubtitles={subtitles.choose}
        onClose={close}
      />
    );
  if (menus.panel === "chapters")
    return <ChaptersPanel chapters={parts} time={video.time} onSeek={actions.seekTo} onClose={close} />;
  return null;
}
