/** The voice call's buttons: off until somebody presses, and the microphone is asked for only then. */
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { Icon } from "@/components/icons";
import { Switch } from "@/player/panel";
import { preferences } from "@/player/preferences";
import { togetherEn as words } from "@/strings/together-en";
import type { Voice } from "./voice";

const TALK_KEY = "v";

export function Call({ voice }: { voice: Voice }) {
  const view = useSyncExternalStore(voice.subscribe, voice.snapshot);
  const on = view.status === "on";
  useTalkKey(voice, on && view.pushToTalk);
  return (
    <div className="together__call">
      <h3>{words.voice}</h3>
      <button
        type="button"
        className="button button--small"
        disabled={view.status === "asking"}
        onClick={() => (on ? voice.leave() : void voice.join())}
      >
        <Icon name="microphone" />
        {on ? words.voiceLeave : words.voiceJoin}
      </button>
      <p className="small" role="status">
        {view.status === "asking" && words.voiceAsking}
        {view.status === "denied" && words.voiceDenied}
        {view.status === "missing" && words.voiceMissing}
      </p>
      {on && (
        <>
          <Switch label={words.mute} on={view.muted} onChange={(muted) => voice.setMuted(muted)} />
          <Switch label={words.pushToTalk} on={view.pushToTalk} onChange={(wanted) => voice.setPushToTalk(wanted)} />
          {view.pushToTalk && <TalkButton voice={voice} talking={view.talking} />}
        </>
      )}
    </div>
  );
}

function TalkButton({ voice, talking }: { voice: Voice; talking: boolean }) {
  const held = (key: string) => key === " " || key === "Enter";
  return (
    <button
      type="button"
      className="button button--small"
      aria-pressed={talking}
      aria-keyshortcuts={TALK_KEY}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        voice.talk(true);
      }}
      onPointerUp={() => voice.talk(false)}
      onPointerCancel={() => voice.talk(false)}
      onKeyDown={(event) => held(event.key) && voice.talk(true)}
      onKeyUp={(event) => held(event.key) && voice.talk(false)}
      onBlur={() => voice.talk(false)}
    >
      {words.hold}
    </button>
  );
}

/** A key held anywhere but where one writes; who has single keys turned off has the button. */
function useTalkKey(voice: Voice, active: boolean) {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (event.key.toLowerCase() !== TALK_KEY || event.ctrlKey || event.altKey || event.metaKey) return;
    const writing = event.target instanceof HTMLInputElement && event.target.type === "text";
    if (event.type === "keydown" && (writing || !preferences.get().singleKeys)) return;
    voice.talk(event.type === "keydown");
  });
  useEffect(() => {
    if (!active) return;
    const listen = (event: KeyboardEvent) => pressed(event);
    const silent = () => voice.talk(false);
    document.addEventListener("keydown", listen);
    document.addEventListener("keyup", listen);
    window.addEventListener("blur", silent);
    return () => {
      document.removeEventListener("keydown", listen);
      document.removeEventListener("keyup", listen);
      window.removeEventListener("blur", silent);
      silent();
    };
  }, [active, voice]);
}
