/** The party beside the picture: who is there, what they say, and how they hear each other. */
import "@/styles/together.css";
import { type FormEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { Icon } from "@/components/icons";
import { Switch } from "@/player/panel";
import { togetherEn as words } from "@/strings/together-en";
import { CHAT_CHARS_MAX, type Line, type Member } from "./messages";
import type { PartyView } from "./party";
import { inviteOf, type Session } from "./session";
import { Call } from "./call";

interface PanelProps {
  session: Session;
  onClose: () => void;
  onLeave: () => void;
}

export function TogetherPanel({ session, onClose, onLeave }: PanelProps) {
  const { party } = session;
  const view = useSyncExternalStore(party.subscribe, party.snapshot);
  const blocked = useSyncExternalStore(session.subscribe, session.blocked);
  const titleId = useId();
  return (
    <section className="together" aria-labelledby={titleId}>
      <div className="together__head">
        <h2 id={titleId}>{words.title}</h2>
        <button type="button" className="icon-button" aria-label={words.close} title={words.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <p className="together__status" role="status">
        {statusOf(view, blocked)}
      </p>
      {!party.isOver && (
        <>
          <div className="together__body">
            <Invite id={party.id} />
            <Members session={session} view={view} />
            <Call voice={session.voice} />
          </div>
          <Chat session={session} view={view} />
        </>
      )}
      <div className="together__foot">
        <button type="button" className="button button--small" onClick={onLeave}>
          <Icon name="out" />
          {words.leave}
        </button>
      </div>
    </section>
  );
}

function statusOf({ status, film, members, you }: PartyView, blocked: boolean): string {
  if (status === "connecting") return words.connecting;
  if (status === "lost") return words.lost;
  if (status !== "here") return words.ended[status];
  if (blocked) return words.press;
  const awaited = members.filter(({ id }) => film?.waiting_for.includes(id));
  if (awaited.length === 0) return "";
  return words.waitingFor(awaited.map(({ id, name }) => (id === you ? words.you(name) : name)).join(", "));
}

function Invite({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const hint = useId();
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(inviteOf(id));
      setCopied(true);
    } catch {
      // It is selected: the keyboard copies it.
    }
  };
  return (
    <div className="together__invite">
      <input
        ref={field}
        className="input"
        readOnly
        value={inviteOf(id)}
        aria-label={words.inviteField}
        aria-describedby={hint}
      />
      <button type="button" className="button button--small" onClick={() => void copy()}>
        {copied ? words.invited : words.invite}
      </button>
      <p id={hint} className="muted small">
        {words.inviteLead}
      </p>
    </div>
  );
}

function Members({ session, view }: { session: Session; view: PartyView }) {
  const { you, host, members, everyoneControls } = view;
  const hosting = you !== undefined && you === host;
  return (
    <div>
      <h3>{words.members}</h3>
      <ul className="together__members">
        {members.map((member) => (
          <li key={member.id}>
            <span className="together__name">{member.id === you ? words.you(member.name) : member.name}</span>
            {member.id === host && <span className="together__badge">{words.host}</span>}
            <span className="muted small">{noteOf(member)}</span>
            {hosting && member.id !== you && member.present && (
              <button
                type="button"
                className="button button--small"
                aria-label={words.handOverTo(member.name)}
                onClick={() => session.party.say({ type: "hand_over", member: member.id })}
              >
                {words.handOver}
              </button>
            )}
          </li>
        ))}
      </ul>
      {hosting && (
        <Switch
          label={words.everyone}
          on={everyoneControls}
          onChange={(on) => session.party.say({ type: "settings", everyone_controls: on })}
        />
      )}
    </div>
  );
}

function noteOf({ present, voice, muted }: Member): string {
  if (!present) return words.away;
  if (!voice) return "";
  return muted ? `${words.inCall}, ${words.muted}` : words.inCall;
}

function Chat({ session, view }: { session: Session; view: PartyView }) {
  const [text, setText] = useState("");
  const log = useRef<HTMLDivElement>(null);
  const { chat, refused } = view;
  useEffect(() => {
    // The newest line is what one wants to see.
    if (chat.length > 0) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [chat]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    const line = text.trim();
    if (line !== "" && session.party.say({ type: "chat", text: line })) setText("");
  };
  return (
    <div className="together__chat">
      <h3>{words.chat}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be scrolled by keyboard too. */}
      <div ref={log} className="together__log" role="log" aria-label={words.chat} tabIndex={0}>
        {chat.length === 0 && <p className="muted small">{words.chatEmpty}</p>}
        {chat.map((line) => (
          <ChatLine key={`${line.from} ${line.at_ms}`} line={line} />
        ))}
      </div>
      {refused && (
        <p className="small" role="alert">
          {refused === "chat_too_fast" ? words.tooFast : words.refused}
        </p>
      )}
      <form onSubmit={send}>
        <input
          className="input"
          value={text}
          maxLength={CHAT_CHARS_MAX}
          autoComplete="off"
          aria-label={words.write}
          placeholder={words.write}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button button--small">
          {words.send}
        </button>
      </form>
    </div>
  );
}

function ChatLine({ line }: { line: Line }) {
  return (
    <p>
      <strong>{line.name}</strong> {line.text}
    </p>
  );
}
